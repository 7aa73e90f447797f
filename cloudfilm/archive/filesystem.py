"""The archive in a folder: `objects/<key>` is the object as a plain file, `hashes/<key>` its SHA-256.

An object is written beside its place, flushed, renamed into place, and the folder is flushed. The hash is in place before the
object, so an object that is seen has its hash; one lock for each 256th of the keys keeps two writers of a key from mixing theirs.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from .contract import (
    CHUNK,
    ArchiveMissing,
    ArchiveRefused,
    ArchiveUnavailable,
    Stat,
    check_deletable,
    check_key,
    sha256_of,
)

LEFT_BEHIND_S = 86400  # an unfinished file of this age has no writer any more


class FilesystemArchive:
    """Objects under one folder, which may be shared by processes of one machine."""

    def __init__(self, root: Path) -> None:
        self._objects, self._hashes, self._incoming, self._locks = (root / name for name in ("objects", "hashes", "incoming", "locks"))
        for folder in (self._objects, self._hashes, self._incoming, self._locks):
            _make_folder(folder)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what killed writers left behind."""
        for left in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > LEFT_BEHIND_S:
                    left.unlink()

    def put(self, key: str, source: bytes | Path, sha256: str) -> None:
        check_key(key)
        if sha256_of(source) != sha256:
            raise ArchiveRefused("what should be stored is not what was announced; nothing was stored")
        try:
            if self._same(key, sha256):
                return
            with self._written(source, sha256) as beside, self._alone(key):
                if self._same(key, sha256):
                    return
                with self._written(sha256.encode()) as hash_beside:
                    _place(hash_beside, self._hashes / key)  # over one that a writer killed before its object has left
                _place(beside, self._objects / key)
        except OSError as error:
            raise ArchiveUnavailable(f"the archive folder cannot be written ({error.strerror}); nothing was lost") from error

    @contextlib.contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """One writer at a time, of all processes."""
        with (self._locks / hashlib.sha256(key.encode()).hexdigest()[:2]).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _same(self, key: str, sha256: str) -> bool:
        """Whether the object is there with this hash; raises ArchiveRefused when it is there with another."""
        if not (self._objects / key).exists():
            return False
        if (self._hashes / key).read_text() != sha256:
            raise ArchiveRefused("other content is kept under this key already; it was left as it is")
        return True

    @contextlib.contextmanager
    def _written(self, source: bytes | Path, sha256: str | None = None) -> Iterator[Path]:
        """A durable file with these bytes, not yet in its place; gone after the block when it was not taken there."""
        beside, digest = self._incoming / secrets.token_hex(16), hashlib.sha256()
        try:
            with beside.open("xb") as out:
                for piece in [source] if isinstance(source, bytes) else _file_pieces(source):
                    out.write(piece)
                    digest.update(piece)
                out.flush()
                os.fdatasync(out.fileno())
            if sha256 is not None and digest.hexdigest() != sha256:
                raise ArchiveRefused("what should be stored changed while it was read; nothing was stored")
            yield beside
        finally:
            beside.unlink(missing_ok=True)

    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_key(key)
        try:
            file = (self._objects / key).open("rb", buffering=0)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ArchiveMissing("there is no such object in the archive") from error
        except OSError as error:
            raise ArchiveUnavailable(f"the archive folder cannot be read ({error.strerror})") from error
        return _pieces(file, start, length)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        return b"".join(self.open(key, start, length))

    def stat(self, key: str) -> Stat:
        check_key(key)
        try:
            return Stat((self._objects / key).stat().st_size, (self._hashes / key).read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArchiveMissing("there is no such object in the archive") from error

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        top = self._objects / prefix.rpartition("/")[0]
        for key in self._walk(top):
            if key.startswith(prefix) and key > after:
                yield key

    def _walk(self, folder: Path) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name + ("/" if e.is_dir() else ""))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.is_dir():
                yield from self._walk(Path(entry.path))
            else:
                yield str(Path(entry.path).relative_to(self._objects))

    def delete(self, key: str) -> None:
        check_deletable(key)
        with self._alone(key):
            (self._objects / key).unlink(missing_ok=True)
            (self._hashes / key).unlink(missing_ok=True)


def _file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def _pieces(file: object, start: int, length: int | None) -> Iterator[bytes]:
    with file:  # type: ignore[attr-defined]
        descriptor = file.fileno()  # type: ignore[attr-defined]
        at, end = start, None if length is None else start + length
        while end is None or at < end:
            piece = os.pread(descriptor, CHUNK if end is None else min(CHUNK, end - at), at)
            if not piece:
                return
            at += len(piece)
            yield piece


def _place(beside: Path, target: Path) -> None:
    _make_folder(target.parent)
    beside.rename(target)
    _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    """A folder that is still there after a power cut, with all above it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
