"""The archive in a folder: `objects/<key>` is the object as a plain file, `hashes/<key>` its SHA-256.

An object is written beside its place, flushed, linked into place (which fails when something is there), and the folder is
flushed. The hash is in place before the object, so an object that is seen has its hash.
"""

import contextlib
import os
import secrets
import shutil
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


class FilesystemArchive:
    """Objects under one folder, which may be shared by processes of one machine."""

    def __init__(self, root: Path) -> None:
        self._objects, self._hashes, self._incoming = root / "objects", root / "hashes", root / "incoming"
        for folder in (self._objects, self._hashes, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, source: bytes | Path, sha256: str) -> None:
        check_key(key)
        if sha256_of(source) != sha256:
            raise ArchiveRefused("what should be stored is not what was announced; nothing was stored")
        try:
            if self._same(key, sha256):
                return
            self._place(self._hashes / key, sha256.encode())
            self._place(self._objects / key, source)
        except OSError as error:
            raise ArchiveUnavailable(f"the archive folder cannot be written ({error.strerror}); nothing was lost") from error
        if not self._same(key, sha256):
            raise ArchiveRefused("other content is kept under this key already; it was left as it is")

    def _same(self, key: str, sha256: str) -> bool:
        """Whether the object is there with this hash; raises ArchiveRefused when it is there with another."""
        if not (self._objects / key).exists():
            return False
        if (self._hashes / key).read_text() != sha256:
            raise ArchiveRefused("other content is kept under this key already; it was left as it is")
        return True

    def _place(self, target: Path, source: bytes | Path) -> None:
        """Durable at `target`, unless something is there."""
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = self._incoming / secrets.token_hex(16)
        try:
            with beside.open("xb") as out:
                if isinstance(source, bytes):
                    out.write(source)
                else:
                    with source.open("rb") as given:
                        shutil.copyfileobj(given, out, CHUNK)
                out.flush()
                os.fdatasync(out.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(beside, target)
            for folder in (target.parent, target.parent.parent):
                _sync_folder(folder)
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
        (self._objects / key).unlink(missing_ok=True)
        (self._hashes / key).unlink(missing_ok=True)


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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
