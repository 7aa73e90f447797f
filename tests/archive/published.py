"""A study in an archive, published as the gateway does it, from synthetic files."""

import hashlib
import json
from pathlib import Path
from typing import Any

from cloudfilm.archive import layout
from cloudfilm.archive.contract import Archive
from cloudfilm.imaging.series import build_series
from tests.imaging.samples import blank, ct_slice, saved

Manifest = dict[str, Any]


def files_of_a_study() -> list[list[bytes]]:
    """Two series: four CT slices, and a text file that no phone shows (kept verbatim)."""
    slices = [ct_slice(n, position=n * 2.5) for n in range(4)]
    return [slices, [saved(blank(SOPInstanceUID="1.2.3.5", SeriesInstanceUID="1.2.3.10"))]]


def publish(archive: Archive, hospital: str, study_key: str, series: list[list[bytes]], scratch: Path) -> tuple[str, Manifest]:
    """Put a study; returns the manifest's key and the manifest."""
    entries = []
    for number, files in enumerate(series):
        folder = scratch / f"{study_key}-{len(series)}-{number}"
        folder.mkdir()
        paths = [folder / f"{n}.dcm" for n in range(len(files))]
        for path, data in zip(paths, files, strict=True):
            path.write_bytes(data)
        entry = build_series(paths, folder, lambda _: None)
        entry["exact"]["key"] = layout.exact(hospital, entry["content_id"])
        archive.put(entry["exact"]["key"], folder / "exact", entry["exact"]["sha256"])
        for stack in entry["stacks"]:
            stack["preview"]["key"] = layout.preview(hospital, entry["content_id"], stack["n"])
            archive.put(stack["preview"]["key"], folder / f"{stack['n']}.preview", stack["preview"]["sha256"])
        entries.append(entry)
    revision = hashlib.sha256("\n".join(sorted(e["content_id"] for e in entries)).encode()).hexdigest()
    manifest = {"study_key": study_key, "revision": revision, "instances": sum(map(len, series)), "series": entries}
    key, data = layout.manifest(hospital, study_key, revision), json.dumps(manifest).encode()
    archive.put(key, data, hashlib.sha256(data).hexdigest())
    return key, manifest
