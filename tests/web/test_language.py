"""Two languages and 关怀模式: every word has its English, the choice is kept, the address stays."""

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from cloudfilm.web import ROOT, catalogue

from .cast import Link, Site

PO = ROOT / "cloudfilm" / "web" / "translations" / "en" / "LC_MESSAGES" / "messages.po"


def _messages() -> dict[str, str]:
    """msgid -> the template that says it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        with path.open("rb") as file:
            for _line, _function, message, _comments in babel_extract(file, ("_", "gettext", "ngettext"), (), {"silent": "false"}):
                found.setdefault(message[0] if isinstance(message, tuple) else message, path.name)
    return found


def test_every_word_of_every_template_has_its_english() -> None:
    words = catalogue.read(PO)
    missing = {message: where for message, where in _messages().items() if message not in words}
    assert missing == {}


def test_placeholders_are_the_same_in_both_languages() -> None:
    with PO.open("rb") as file:
        for message in read_po(file):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            said = message.string if isinstance(message.string, tuple) else (message.string,)
            if ids[0]:
                for which, text in enumerate(said):
                    meant = ids[min(which, len(ids) - 1)]
                    assert sorted(re.findall(r"%\(\w+\)\w", text)) == sorted(re.findall(r"%\(\w+\)\w", meant)), meant


def test_our_reading_of_the_catalogue_is_gettexts(tmp_path: Path) -> None:
    """The standard library reads the same words from the catalogue that Babel compiles."""
    compiled = tmp_path / "messages.mo"
    with PO.open("rb") as source, compiled.open("wb") as target:
        write_mo(target, read_po(source))
    with compiled.open("rb") as file:
        standard = gettext.GNUTranslations(file)
    ours = catalogue.read(PO)
    with PO.open("rb") as source:
        entries = [entry.id for entry in read_po(source) if entry.id]
    assert any(isinstance(entry, tuple) for entry in entries)
    for entry in entries:
        if isinstance(entry, tuple):
            for n in (0, 1, 2):
                assert ours.ngettext(*entry, n) == standard.ngettext(*entry, n)
        else:
            assert ours.gettext(entry) == standard.gettext(entry)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("en-GB,en;q=0.9", "en"), ("zh-CN,zh;q=0.9", "zh-CN"), ("zh-TW", "zh-CN"), ("fr", "zh-CN"), ("", "zh-CN"), ("fr,en;q=0.5", "en")],
)
def test_the_browsers_language_is_followed(site: Site, accepted: str, expected: str) -> None:
    page = site.browser().get("/", **{"Accept-Language": accepted}).text
    assert f'<html lang="{expected}">' in page


def test_a_choice_is_kept_and_the_address_is_cleaned(site: Site, link: Link) -> None:
    browser = site.browser()
    for path in ("/", link.path):
        moved = browser.get(f"{path}?lang=en&care=1")
        assert (moved.status_code, moved.headers["Location"]) == (303, path)
    page = browser.get(link.path).text
    assert '<html lang="en" class="care">' in page
    assert "Last 4 digits of the phone number" in page
    browser.get("/?lang=zh-CN&care=0")
    assert '<html lang="zh-CN">' in browser.get("/").text


def test_a_language_that_we_do_not_have_changes_nothing(site: Site) -> None:
    browser = site.browser()
    browser.get("/?lang=%22%3E%3Cscript%3E")
    assert '<html lang="zh-CN">' in browser.get("/").text


def test_the_whole_way_in_english_has_no_chinese_but_the_doctors_and_names(site: Site, link: Link) -> None:
    browser = site.browser()
    browser.get("/?lang=en")
    report = site.report()
    browser.answer(link, "9999")
    pages = [browser.get(path).text for path in ("/", "/nowhere", "/v/x", link.path)]
    browser.opened(link)
    pages += [browser.get(link.film + path).text for path in ("", "/access", f"/reports/{report}")]
    for page in pages:
        ours = re.sub(r'<(\w+)[^>]* lang="zh-CN"[^>]*>.*?</\1>', "", page.replace('<html lang="zh-CN"', "<html"), flags=re.S)
        ours = ours.replace(site.settings.hospital_name, "").replace("胸部 1.25mm", "")
        assert re.findall(r"[一-鿿]+", ours) == []


def test_care_mode_keeps_addresses_and_every_word_of_the_doctor(site: Site, link: Link) -> None:
    browser = site.browser()
    browser.get("/?care=1")
    page = browser.opened(link).get(link.film).text
    assert "右肺上叶小结节，建议随访。" in page
    assert "打电话帮忙" in page
