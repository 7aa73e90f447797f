"""What only the folder store can get wrong: writers that die, and several of them."""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from cloudfilm.archive.contract import ArchiveMissing, ArchiveRefused
from cloudfilm.archive.filesystem import LEFT_BEHIND_S, FilesystemArchive

KEY = "h/series/0a.exact"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _put_and_die(root: Path, at_rename: int) -> None:
    """A writer that is killed at its n-th rename."""
    renames = 0
    rename = Path.rename

    def dying(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == at_rename:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.rename = dying  # type: ignore[method-assign]
    FilesystemArchive(root).put(KEY, b"of the one who died", sha(b"of the one who died"))


@pytest.mark.parametrize("at_rename", [1, 2])
def test_a_writer_that_dies_leaves_nothing_to_be_seen_and_nothing_in_the_way(tmp_path: Path, at_rename: int) -> None:
    writer = multiprocessing.get_context("fork").Process(target=_put_and_die, args=(tmp_path, at_rename))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    archive = FilesystemArchive(tmp_path)
    assert list(archive.list("h/")) == []
    with pytest.raises(ArchiveMissing):
        archive.stat(KEY)
    archive.put(KEY, b"of another", sha(b"of another"))
    assert (archive.read(KEY), archive.stat(KEY).sha256) == (b"of another", sha(b"of another"))


def test_what_killed_writers_left_is_swept_once_it_is_old(tmp_path: Path) -> None:
    FilesystemArchive(tmp_path)
    old, fresh = tmp_path / "incoming" / "old", tmp_path / "incoming" / "fresh"
    for file in (old, fresh):
        file.write_bytes(b"x")
    os.utime(old, (0, time.time() - LEFT_BEHIND_S - 60))
    FilesystemArchive(tmp_path)
    assert not old.exists() and fresh.exists()


def test_an_object_and_its_hash_come_from_the_same_writer(tmp_path: Path) -> None:
    """A writer that waits between hash and object while another comes by: the second must not slip its object in between."""
    archive, other = FilesystemArchive(tmp_path), FilesystemArchive(tmp_path)
    with archive._alone(KEY):
        second = threading.Thread(target=other.put, args=(KEY, b"second", sha(b"second")))
        second.start()
        second.join(0.3)
        assert second.is_alive() and not (tmp_path / "objects" / KEY).exists()
    second.join()
    assert archive.stat(KEY).sha256 == sha(archive.read(KEY))


def test_a_refused_object_leaves_no_file_behind(tmp_path: Path) -> None:
    archive = FilesystemArchive(tmp_path)
    with pytest.raises(ArchiveRefused):
        archive.put(KEY, b"x", sha(b"y"))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
