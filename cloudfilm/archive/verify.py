"""Reading everything back by hash: what an archive promises, looked at before somebody needs it.

Memory stays the same however large the archive is: one manifest and one piece of an object at a time.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from . import layout
from .contract import Archive, ArchiveMissing


class Fault(StrEnum):
    """What is wrong with an object."""

    MISSING = "missing"
    DAMAGED = "damaged"  # other bytes than were stored
    UNREADABLE = "unreadable"  # a manifest that is no manifest, or not the one its name says


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that is not as it should be. `named_by`: the manifest that needs it, or the key itself."""

    key: str
    fault: Fault
    named_by: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object and what its bytes must be."""

    key: str
    size: int
    sha256: str


def verify(archive: Archive, hospital: str, progress: Callable[[int], None]) -> Iterator[Finding]:
    """Findings over every manifest, every object a manifest names, and every report file.

    `progress` is called with the bytes of each object read. Raises ArchiveUnavailable when the archive does not answer: then
    nothing is known, which is no finding.
    """
    yield from _studies(archive, hospital, progress)
    yield from _reports(archive, hospital, progress)


def _studies(archive: Archive, hospital: str, progress: Callable[[int], None]) -> Iterator[Finding]:
    study, seen = "", set[str]()  # revisions of a study come one after another and share series: each is read once
    for key in archive.list(layout.manifests(hospital)):
        if key.rpartition("/")[0] != study:
            study, seen = key.rpartition("/")[0], set()
        manifest = _manifest(archive, key)
        if manifest is None:
            yield Finding(key, Fault.UNREADABLE, key)
            continue
        for wanted in named(manifest):
            if wanted.key not in seen:
                seen.add(wanted.key)
                fault = _fault(archive, wanted, progress)
                if fault:
                    yield Finding(wanted.key, fault, key)


def _reports(archive: Archive, hospital: str, progress: Callable[[int], None]) -> Iterator[Finding]:
    for key in archive.list(layout.reports(hospital)):
        kept = archive.stat(key)
        name = key.rpartition("/")[2]
        sha256 = name.removesuffix(".pdf") if name.endswith(".pdf") else kept.sha256  # a PDF is named by its hash
        fault = _fault(archive, Wanted(key, kept.size, sha256), progress)
        if fault:
            yield Finding(key, fault, key)


def named(manifest: Mapping[str, Any]) -> Iterator[Wanted]:
    """Every object that a manifest needs."""
    for series in manifest["series"]:
        yield _wanted(series["exact"])
        for stack in series["stacks"]:
            yield _wanted(stack["preview"])


def _wanted(reference: Mapping[str, Any]) -> Wanted:
    return Wanted(str(reference["key"]), int(reference["size"]), str(reference["sha256"]))


def _manifest(archive: Archive, key: str) -> dict[str, Any] | None:
    """The manifest under a key; None when its bytes are not those stored, or its name is not its content's."""
    try:
        data = archive.read(key)
        if hashlib.sha256(data).hexdigest() != archive.stat(key).sha256:
            return None
        manifest: dict[str, Any] = json.loads(data)
        content = sorted(series["content_id"] for series in manifest["series"])
        list(named(manifest))
    except (ValueError, KeyError, TypeError, AttributeError, ArchiveMissing):
        return None
    revision = hashlib.sha256("\n".join(content).encode()).hexdigest()
    return manifest if key.endswith(f"/{manifest.get('study_key')}/{revision}.json") else None


def _fault(archive: Archive, wanted: Wanted, progress: Callable[[int], None]) -> Fault | None:
    digest, size = hashlib.sha256(), 0
    try:
        for piece in archive.open(wanted.key):
            digest.update(piece)
            size += len(piece)
    except ArchiveMissing:
        return Fault.MISSING
    progress(size)
    return None if (size, digest.hexdigest()) == (wanted.size, wanted.sha256) else Fault.DAMAGED
