"""What every store promises. Both stores pass the same test suite (tests/archive/test_contract.py)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 18  # bytes of one piece of a stream


class ArchiveMissing(Exception):
    """There is no object under this key."""


class ArchiveUnavailable(Exception):
    """The store did not answer as it should; trying again later can help. Nothing was lost."""


class ArchiveRefused(Exception):
    """The store will not do this, however often it is asked: other content under the key, no right, a wrong hash."""


@dataclass(frozen=True, slots=True)
class Stat:
    """Size in bytes and SHA-256 (hex) of an object, as told when it was put."""

    size: int
    sha256: str


class Archive(Protocol):
    """Immutable objects under keys of `layout.py`."""

    def put(self, key: str, source: bytes | Path, sha256: str) -> None:
        """Store whole or not at all. The same content again is success; other content under the key raises ArchiveRefused."""
        ...

    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes [start, start+length) in pieces; raises ArchiveMissing before the first piece."""
        ...

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """The bytes [start, start+length); shorter only at the object's end."""
        ...

    def stat(self, key: str) -> Stat:
        """Size and hash; raises ArchiveMissing."""
        ...

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Keys that begin with `prefix` and come after `after`, in order."""
        ...

    def delete(self, key: str) -> None:
        """Remove a letter (keys with /mail/ only, else ArchiveRefused). A missing one is success."""
        ...


def check_key(key: str) -> None:
    """Keys are ours, but a false one must not reach a file system: raises ArchiveRefused."""
    parts = key.split("/")
    allowed = all(part and part not in (".", "..") and part.isprintable() and "\\" not in part for part in parts)
    if not allowed or len(key) > 400:
        raise ArchiveRefused("an object's key is not one of ours; nothing was read or written")


def check_deletable(key: str) -> None:
    """Only mail is ever deleted."""
    check_key(key)
    if key.split("/")[1:2] != ["mail"]:
        raise ArchiveRefused("only letters are deleted from the archive; everything else stays")


def sha256_of(source: bytes | Path) -> str:
    """SHA-256 (hex) of bytes or a file, in constant memory."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
