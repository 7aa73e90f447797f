"""Every answer carries the headers of SECURITY.md 7: every route, every status, errors included."""

from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from cloudfilm.web.headers import ALWAYS

from .cast import Link, Site


def _check(answer: TestResponse, status: int) -> None:
    assert answer.status_code == status
    for name, value in ALWAYS.items():
        assert answer.headers.getlist(name) == [value], name
    csp = answer.headers["Content-Security-Policy"]
    assert csp.startswith("default-src 'none'; ")
    assert "unsafe" not in csp
    assert "frame-ancestors 'none'" in csp
    assert answer.headers["Cache-Control"]


def test_every_route_and_every_status_carries_them(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    stack = _stack(site)
    _check(browser.get("/"), 200)
    _check(browser.get(link.path), 303)
    _check(site.browser().get(link.path), 200)
    _check(site.browser().get("/?lang=en"), 303)
    _check(browser.get(link.film), 200)
    _check(browser.get(f"{link.film}/access"), 200)
    _check(browser.get(f"{link.film}/series/{stack}/preview"), 200)
    _check(browser.get(f"{link.film}/series/{stack}/preview", Range="bytes=0-9"), 206)
    _check(browser.get(f"{link.film}/series/{stack}/preview", Range="bytes=999999-"), 416)
    _check(browser.get(f"{link.film}/series/{stack}/index"), 200)
    _check(browser.get("/nowhere"), 404)
    _check(browser.get("/v/nothing"), 404)
    _check(site.browser().get(link.film), 403)
    _check(site.browser().answer(link, ""), 422)
    for _ in range(5):
        last = site.browser().answer(link, "0000")
    _check(last, 423)
    _check(site.app.test_client().post(link.path, base_url=site.settings.url), 400)
    _check(site.app.test_client().delete("/robots.txt", base_url=site.settings.url), 400)
    _check(site.app.test_client().put("/", base_url=site.settings.url, data=b"x" * 200_000), 413)
    _check(browser.get("/static/0/none.css"), 404)
    site.revoke(link)
    _check(site.browser().get(link.path), 410)


def _stack(site: Site) -> str:
    from cloudfilm.records import stacks

    with site.database.read() as c:
        return stacks.of_visit(c, "h", "MZ1")[0].id


def test_a_failure_of_ours_is_a_page_with_headers_and_without_a_trace(site: Site, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(site.app.view_functions, "public.home", lambda: 1 // 0)
    answer = site.browser().get("/")
    _check(answer, 500)
    assert "ZeroDivision" not in answer.text


def test_https_adds_hsts_and_host_cookies(tmp_path: Path) -> None:
    site = Site(tmp_path, CLOUDFILM_URL="https://film.example.org")
    site.order()
    link = site.link()
    answer = site.browser().get(link.path)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    for cookie in (*answer.headers.getlist("Set-Cookie"), *site.browser().answer(link).headers.getlist("Set-Cookie")):
        assert cookie.startswith("__Host-")
        for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie
    site.database.close()


def test_another_host_is_sent_home_and_decides_nothing(site: Site, link: Link) -> None:
    client = site.app.test_client()
    answer = client.get(link.path, base_url="http://evil.example")
    assert answer.status_code == 307
    assert answer.headers["Location"] == site.settings.url + link.path
    assert client.post(link.path, base_url="http://evil.example").status_code == 400
    assert client.get("//evil.example/..?lang=en", base_url=site.settings.url).headers.get("Location", "/").startswith("/")
    assert not client.get("//evil.example?lang=en", base_url=site.settings.url).headers.get("Location", "/").startswith("//")


def test_static_files_are_kept_for_ever_and_private_pages_never(site: Site, link: Link) -> None:
    page = site.browser().get(link.path).text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = site.browser().get(address, **{"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    browser = site.browser().opened(link)
    for path in (link.film, f"{link.film}/access", f"{link.film}/series/{_stack(site)}/thumb"):
        assert "no-store" in browser.get(path).headers["Cache-Control"]
