"""`cloudfilm restore`: the files of a study as they were received."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from .site import Refused, Site


@click.command()
@click.argument("studies", nargs=-1, required=True, metavar="STUDY...")
@click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder; made when missing.")
def restore(studies: tuple[str, ...], to: Path) -> None:
    """Write every original file of each STUDY (Study Instance UID or accession number), bit for bit, below the folder."""
    from cloudfilm.archive.restore import restore as write

    site = Site()
    for named in studies:
        for manifest in _manifests(site, named):
            done = write(site.archive, manifest, to, _progress(manifest["instances"]))
            print(f"{done.folder}  {done.files} files, {done.bytes} bytes")


def _progress(count: int) -> Any:
    def progress(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{count}", end="\n" if done == count else "", file=sys.stderr, flush=True)

    return progress


def _manifests(site: Site, named: str) -> list[dict[str, Any]]:
    """The manifests in force; a study that the records have lost is found by its UID in the archive."""
    from cloudfilm.archive import layout
    from cloudfilm.archive.contract import ArchiveMissing
    from cloudfilm.archive.restore import newest_manifest
    from cloudfilm.records import studies

    hospital = site.settings.hospital
    with site.database.read() as c:
        by_uid = studies.by_uid(c, hospital, named)
        found = [by_uid] if by_uid else studies.by_accession(c, hospital, named)
    keys = [layout.manifest(hospital, s.study_key, s.revision) for s in found if s.revision]
    if keys:
        return [json.loads(site.archive.read(key)) for key in keys]
    try:
        return [newest_manifest(site.archive, hospital, layout.study_key(site.keys.study, named))]
    except ArchiveMissing as error:
        raise Refused("There is no such study; give its Study Instance UID or its accession number.") from error
