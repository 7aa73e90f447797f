"""`cloudfilm ingest`: files enter by the same spool as from a modality; returns when they are registered."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .site import Refused, Site

POLL_S = 0.3
GATEWAY_GRACE_S = 15.0


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a study instead of words.")
@click.option("--no-wait", is_flag=True, help="Return when everything is durable, not when it is registered.")
def ingest(paths: tuple[Path, ...], as_json: bool, no_wait: bool) -> None:
    """Enter DICOM files and folders, orders, and report PDFs with their sidecars."""
    enter(list(paths), as_json=as_json, wait=not no_wait)


@dataclass
class _Study:
    """What was entered of one study."""

    uid: str
    accession_number: str
    files: int = 0
    bytes: int = 0


def enter(paths: list[Path], *, as_json: bool, wait: bool) -> None:
    """Take the files, wait until studies and orders are registered, and print what became of them."""
    from cloudfilm.gateway.intake import Intake, Taken, What, files_under
    from cloudfilm.gateway.run import open_spool
    from cloudfilm.gateway.spool import SpoolFull

    site = Site()
    spool, book = open_spool(site.settings)
    intake = Intake(site.settings, site.keys, spool, book)
    started = time.monotonic()
    studies: dict[str, _Study] = {}
    others: list[tuple[Path, Taken]] = []
    try:
        for path in files_under(paths):
            taken = intake.take_path(path)
            if taken.what is What.INSTANCE:
                study = studies.setdefault(taken.id, _Study(taken.study_instance_uid, taken.accession_number))
                study.files += 1
                study.bytes += taken.size
            elif taken.what is not What.WAITING or path.suffix.lower() == ".json":
                others.append((path, taken))
    except SpoolFull as error:
        raise Refused(str(error)) from error
    if wait:
        _wait(site, book, studies, [t for _, t in others if t.what is What.ORDER], [t for _, t in others if t.what is What.REPORT])
    seconds = round(time.monotonic() - started, 3)
    for study_key, study in studies.items():
        _tell(_told(site, study_key, study, seconds), as_json)
    refused = 0
    for path, taken in others:
        told: dict[str, Any] = {"kind": taken.what.value, "file": path.name, "note": taken.note}
        if taken.what is What.ORDER:
            told = {"kind": "order", "visit_id": taken.id, "accession_number": taken.accession_number, "url": intake.link_url(taken.id)}
        refused += taken.what in (What.QUARANTINED, What.WAITING)
        _tell(told, as_json)
    if refused:
        raise Refused(f"{refused} file(s) could not be used; they are kept in {spool.quarantined} with the reason beside them.")


def _told(site: Site, study_key: str, study: _Study, seconds: float) -> dict[str, Any]:
    from cloudfilm.records import studies as records

    with site.database.read() as c:
        found = records.get(c, site.settings.hospital, study_key)
    return {
        "study_instance_uid": study.uid,
        "accession_number": study.accession_number,
        "revision": found.revision if found else None,
        "instances": found.instances if found and found.revision else study.files,
        "bytes": found.bytes if found and found.revision else study.bytes,
        "seconds": seconds,
    }


def _tell(told: dict[str, Any], as_json: bool) -> None:
    print(json.dumps(told, ensure_ascii=False) if as_json else "  ".join(f"{k}={v}" for k, v in told.items()), flush=True)


def _wait(site: Site, book: Any, studies: dict[str, Any], orders: list[Any], reports: list[Any]) -> None:
    """Until gateway and registrar have done their part; says so when no gateway works here."""
    from cloudfilm.records import studies as records
    from cloudfilm.records import visits

    pending = set(studies)
    began = time.monotonic()
    while True:
        with site.database.read() as c:
            hospital = site.settings.hospital
            done = set()
            for study_key in pending:
                revision = _published(site, book, study_key)
                if revision and records.revision_of(c, hospital, study_key, revision):
                    done.add(study_key)
            orders = [o for o in orders if visits.order_of_accession(c, hospital, o.accession_number) is None]
        pending -= done
        reports = [r for r in reports if not book.report_done(r.id)]
        if not pending and not orders and not reports and book.unposted() == 0 and _box_empty(site):
            return
        if time.monotonic() - began > GATEWAY_GRACE_S and not _gateway_runs(site):
            raise Refused("Everything is kept, but no gateway works here to publish it; start `cloudfilm up` and it goes on by itself.")
        time.sleep(POLL_S)


def _published(site: Site, book: Any, study_key: str) -> str | None:
    """The revision that the gateway published of the study as it lies in the spool now."""
    folder = site.settings.home / "spool" / "studies" / study_key
    seen = (folder.stat().st_mtime_ns, len(list(folder.iterdir())))
    return book.revision(study_key) if book.published(study_key) == seen else None


def _box_empty(site: Site) -> bool:
    from cloudfilm.archive import layout

    return next(iter(site.archive.list(layout.mail(site.settings.hospital, layout.TO_CLOUD))), None) is None


def _gateway_runs(site: Site) -> bool:
    from cloudfilm.gateway import status

    try:
        os.kill(int(status.read(site.settings.home)["pid"]), 0)
    except (KeyError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
