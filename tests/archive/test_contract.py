"""What every store promises, checked on a folder and on a real S3."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from cloudfilm.archive.contract import CHUNK, Archive, ArchiveMissing, ArchiveRefused, sha256_of

KEY = "h/series/0a.exact"
LETTER = "h/mail/to-cloud/20261120010000-aa.json"


def put(archive: Archive, key: str, data: bytes) -> None:
    archive.put(key, data, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 7])
def test_what_is_put_comes_back(archive: Archive, size: int) -> None:
    data = os.urandom(size)
    put(archive, KEY, data)
    assert archive.read(KEY) == data
    assert (archive.stat(KEY).size, archive.stat(KEY).sha256) == (size, hashlib.sha256(data).hexdigest())


def test_a_file_is_stored_as_its_bytes_are(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(data := os.urandom(2 * CHUNK + 1))
    archive.put(KEY, file, sha256_of(file))
    assert archive.read(KEY) == data and file.read_bytes() == data


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (5, 10), (CHUNK - 1, 2), (100, None), (0, 0), (CHUNK * 2, 50), (CHUNK * 2 + 9, 5), (CHUNK * 9, None)]
)
def test_a_range_is_that_part_and_shorter_only_at_the_end(archive: Archive, start: int, length: int | None) -> None:
    put(archive, KEY, data := os.urandom(2 * CHUNK + 9))
    assert archive.read(KEY, start, length) == data[start : None if length is None else start + length]


def test_an_empty_object_has_only_empty_ranges(archive: Archive) -> None:
    put(archive, KEY, b"")
    assert archive.read(KEY, 0, 10) == b"" and archive.read(KEY, 3) == b""


def test_a_stream_comes_in_pieces_of_bounded_size(archive: Archive) -> None:
    put(archive, KEY, os.urandom(3 * CHUNK + 1))
    assert max(len(piece) for piece in archive.open(KEY)) <= CHUNK


def test_the_same_content_again_is_success(archive: Archive) -> None:
    put(archive, KEY, b"film")
    put(archive, KEY, b"film")
    assert archive.read(KEY) == b"film"


def test_other_content_under_a_key_is_refused_and_the_first_stays(archive: Archive) -> None:
    put(archive, KEY, b"first")
    with pytest.raises(ArchiveRefused):
        put(archive, KEY, b"second")
    assert archive.read(KEY) == b"first"


def test_bytes_that_are_not_what_was_announced_are_refused_and_not_stored(archive: Archive) -> None:
    with pytest.raises(ArchiveRefused):
        archive.put(KEY, b"changed on the way", hashlib.sha256(b"announced").hexdigest())
    with pytest.raises(ArchiveMissing):
        archive.stat(KEY)


@pytest.mark.parametrize("call", ["open", "read", "stat", "read nothing"])
def test_a_missing_object_is_missing_at_once(archive: Archive, call: str) -> None:
    calls = {
        "open": lambda: archive.open(KEY),  # not only at the first piece
        "read": lambda: archive.read(KEY, 5, 5),
        "stat": lambda: archive.stat(KEY),
        "read nothing": lambda: archive.read(KEY, 0, 0),
    }
    with pytest.raises(ArchiveMissing):
        calls[call]()


def test_of_many_writers_of_one_key_exactly_one_content_stands(archive: Archive) -> None:
    outcomes: list[str] = []

    def write(content: bytes) -> None:
        try:
            put(archive, KEY, content)
            outcomes.append(content.decode())
        except ArchiveRefused:
            outcomes.append("refused")

    writers = [threading.Thread(target=write, args=(f"content {n % 2}".encode(),)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(outcomes) == 8
    assert set(outcomes) - {"refused"} == {archive.read(KEY).decode()}
    assert archive.stat(KEY).sha256 == hashlib.sha256(archive.read(KEY)).hexdigest()


def test_a_listing_is_in_order_and_goes_on_after_a_key(archive: Archive) -> None:
    keys = [f"h/studies/{study:02x}/{revision:02x}.json" for study in range(5) for revision in range(3)]
    for key in reversed(keys):
        put(archive, key, key.encode())
    put(archive, "h/series/ff.exact", b"")
    put(archive, "h2/studies/00/00.json", b"")
    assert list(archive.list("h/studies/")) == keys
    assert list(archive.list("h/studies/", after=keys[6])) == keys[7:]
    assert list(archive.list("h/studies/02/")) == keys[6:9]
    assert list(archive.list("h/st")) == keys
    assert list(archive.list("nobody/")) == []


def test_a_listing_longer_than_one_page_is_whole(archive: Archive) -> None:
    keys = [f"h/mail/to-cloud/{n:06d}-aa.json" for n in range(1003)]
    threads = [threading.Thread(target=lambda part=part: [put(archive, k, b"x") for k in keys[part::8]]) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(archive.list("h/mail/to-cloud/")) == keys


def test_only_mail_is_deleted(archive: Archive) -> None:
    for key in (KEY, LETTER, "h/filed/to-cloud/a.json"):
        put(archive, key, b"x")
    archive.delete(LETTER)
    archive.delete(LETTER)
    assert list(archive.list("h/mail/")) == []
    for key in (KEY, "h/filed/to-cloud/a.json"):
        with pytest.raises(ArchiveRefused):
            archive.delete(key)
        assert archive.read(key) == b"x"


@pytest.mark.parametrize("key", ["", "/h/x", "h//x", "../x", "h/../../x", "h/./x", "h/x/", "h\\x", "h/\x00", "h/\n", "h/" + "x" * 400])
def test_a_key_that_is_not_ours_reaches_no_store(archive: Archive, key: str) -> None:
    for call in (lambda: put(archive, key, b"x"), lambda: archive.open(key), lambda: archive.stat(key), lambda: archive.delete(key)):
        with pytest.raises(ArchiveRefused):
            call()
