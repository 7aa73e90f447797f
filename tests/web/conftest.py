"""The site of tests/web: a fresh one (`site`), and one with a film (`film_site`, `link`)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Playwright, sync_playwright

from .cast import Link, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    opened = Site(tmp_path)
    yield opened
    opened.database.close()


@pytest.fixture
def link(site: Site) -> Link:
    """陈志远's receipt: CT with a signed report."""
    site.order()
    site.study()
    site.report()
    return site.link()


@pytest.fixture(scope="module")
def program() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("NOT RUN: Chromium is not installed (apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(driver: Playwright, program: str) -> Iterator[Chromium]:
    browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
    yield browser
    browser.close()
