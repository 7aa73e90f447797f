"""The one door to received files: what restore and download hand out is what came in, or nothing."""

from collections.abc import Mapping
from typing import Any

from cloudfilm.imaging.exactstack import RebuildFailed, rebuild

from .contract import Archive, ArchiveRefused


def original(archive: Archive, series: Mapping[str, Any], instance: Mapping[str, Any]) -> bytes:
    """The received file of an instance, bit for bit, its SHA-256 checked; `series` and `instance` as in the manifest.

    Raises ArchiveMissing, ArchiveUnavailable, or ArchiveRefused when what is stored is damaged.
    """
    blob = archive.read(series["exact"]["key"], instance["at"], instance["stored"])
    try:
        return rebuild(blob, dict(instance))
    except RebuildFailed as error:
        raise ArchiveRefused("a stored image is damaged and is not handed out; run `cloudfilm archive verify`") from error
