"""Every received file of a study, bit for bit, out of the archive into a folder that any DICOM software imports.

Names are those of IHE PDI media (upper case, eight characters, no extension): DICOM/<study>/SE000001/IM000001, in stack order.
They say nothing about the patient: what the files say themselves is enough.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layout
from .contract import Archive, ArchiveMissing, ArchiveRefused
from .originals import original


@dataclass(frozen=True, slots=True)
class Restored:
    """What a call to restore() has given back; sizes in bytes."""

    folder: Path
    files: int
    bytes: int


def newest_manifest(archive: Archive, hospital: str, study_key: str) -> dict[str, Any]:
    """The manifest with the most instances: what to restore when the records are lost too. Raises ArchiveMissing."""
    best: dict[str, Any] | None = None
    for key in archive.list(f"{layout.manifests(hospital)}{study_key}/"):
        manifest = json.loads(archive.read(key))
        if best is None or manifest["instances"] > best["instances"]:
            best = manifest
    if best is None:
        raise ArchiveMissing("the archive holds no such study")
    return best


def restore(archive: Archive, manifest: Mapping[str, Any], to: Path, progress: Callable[[int], None]) -> Restored:
    """Write all instances of a manifest below `to`; what is there already and the same is left, other files are never overwritten.

    `progress` is called with the number of files done. Raises ArchiveRefused for a damaged image or a file in the way.
    """
    folder = to / "DICOM" / str(manifest["study_key"])[:8].upper()
    files = size = 0
    for number, series in enumerate(manifest["series"], 1):
        place = folder / f"SE{number:06d}"
        place.mkdir(parents=True, exist_ok=True)
        for index, instance in enumerate(series["instances"], 1):
            data = original(archive, series, instance)
            _keep(data, place / f"IM{index:06d}", instance["sha256"])
            files, size = files + 1, size + len(data)
            progress(files)
    return Restored(folder, files, size)


def _keep(data: bytes, target: Path, sha256: str) -> None:
    if target.exists():
        with target.open("rb") as there:
            if hashlib.file_digest(there, "sha256").hexdigest() == sha256:
                return
        raise ArchiveRefused(f"another file lies at {target}; restore into an empty folder")
    beside = target.with_name(f".{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)
