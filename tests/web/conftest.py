"""The site of tests/web: a fresh one (`site`), and one with a film (`film_site`, `link`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
