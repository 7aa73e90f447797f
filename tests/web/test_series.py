"""Bytes of a film: what RFC 9110 asks of single ranges."""

import gzip

import pytest

from cloudfilm.records import stacks
from cloudfilm.web import byteranges
from cloudfilm.web.byteranges import RangeRefused, Span

from .cast import EXACT, PREVIEW, Link, Site


@pytest.fixture
def series(site: Site, link: Link) -> str:
    with site.database.read() as c:
        return f"{link.film}/series/{stacks.of_visit(c, 'h', 'MZ1')[0].id}"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (0, 100, True)),
        ("bytes=0-0", (0, 1, False)),
        ("bytes=10-19", (10, 10, False)),
        ("bytes=90-", (90, 10, False)),
        ("bytes=90-400", (90, 10, False)),
        ("bytes=-7", (93, 7, False)),
        ("bytes=-700", (0, 100, False)),
        ("items=0-1", (0, 100, True)),
        ("bytes=9-3", (0, 100, True)),
        ("bytes=-", (0, 100, True)),
        ("bytes=x-3", (0, 100, True)),
    ],
)
def test_a_range_header_is_read_as_the_standard_says(header: str, expected: tuple[int, int, bool]) -> None:
    assert byteranges.read(header, 100) == Span(expected[0], expected[1], 100, expected[2])


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=0-1,4-5", "bytes=999999999999999999-"])
def test_a_range_outside_or_several_ranges_are_refused(header: str) -> None:
    with pytest.raises(RangeRefused):
        byteranges.read(header, 100)


def test_the_whole_stack_and_any_part_of_it_are_the_archives_bytes(site: Site, link: Link, series: str) -> None:
    browser = site.browser().opened(link)
    whole = browser.get(f"{series}/preview")
    assert (whole.status_code, whole.data) == (200, PREVIEW)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = browser.get(f"{series}/preview", Range="bytes=1000-1999")
    assert (part.status_code, part.data) == (206, PREVIEW[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(PREVIEW)}"
    assert part.headers["ETag"] == whole.headers["ETag"]
    assert not part.headers["ETag"].startswith("W/")
    refused = browser.get(f"{series}/preview", Range=f"bytes={len(PREVIEW)}-")
    assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{len(PREVIEW)}")


def test_a_large_exact_stack_streams_whole_and_in_parts(site: Site, link: Link, series: str) -> None:
    browser = site.browser().opened(link)
    exact = series.rpartition("-")[0] + "/exact"
    assert browser.get(exact).data == EXACT
    last = browser.get(exact, Range="bytes=-1500000")
    assert (last.status_code, last.data, last.headers["Content-Length"]) == (206, EXACT[-1500000:], "1500000")


def test_a_range_of_another_version_is_answered_whole(site: Site, link: Link, series: str) -> None:
    browser = site.browser().opened(link)
    answer = browser.get(f"{series}/preview", Range="bytes=5-9", **{"If-Range": '"older"'})
    assert (answer.status_code, answer.data) == (200, PREVIEW)


def test_pixels_are_never_compressed_again_and_the_index_is(site: Site, link: Link, series: str) -> None:
    browser = site.browser().opened(link)
    assert "Content-Encoding" not in browser.get(f"{series}/preview", **{"Accept-Encoding": "gzip"}).headers
    packed = browser.get(f"{series}/index", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == browser.get(f"{series}/index").data


def test_the_index_says_where_each_frame_lies(site: Site, link: Link, series: str) -> None:
    value = site.browser().opened(link).get(f"{series}/index").json
    assert value is not None
    assert value["frames"] == [[10, 5, -7, "jls", 0, 99, 1.5, 1, -1024], [15, 5, -7, "jls", 0, 98, 2.5, 1, -1024]]
    assert value["head"]["preview"] == f"{series}/preview"
    assert value["head"]["exact"].endswith("/exact")
    assert value["keyframe"]


def test_a_missing_object_is_a_503_and_not_a_broken_stream(site: Site, link: Link, series: str) -> None:
    browser = site.browser().opened(link)
    for path in (site.settings.home / "archive" / "objects").rglob("*.exact"):
        path.unlink()
    assert browser.get(series.rpartition("-")[0] + "/exact").status_code == 503
