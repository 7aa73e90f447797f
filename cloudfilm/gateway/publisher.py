"""From the spool to the archive: series objects, then the manifest, then one letter. The letter is the commit point.

Everything is named by its content: publishing again, or after a kill at any point, gives the same addresses and uploads nothing twice.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloudfilm import clock
from cloudfilm.archive import layout
from cloudfilm.archive.contract import Archive, ArchiveMissing, sha256_of
from cloudfilm.domain import letters
from cloudfilm.imaging.header import Header, NotDicom, read_header
from cloudfilm.keys import Keys
from cloudfilm.settings import Settings

from . import workers
from .book import Book
from .brokenseries import build_around
from .reportpublisher import ReportPublisher
from .spool import Kept, Spool
from .status import Status

log = logging.getLogger(__name__)

SECONDS_LEAST, SECONDS_A_FILE, SECONDS_A_MEGABYTE = 60.0, 1.0, 3.0  # time limit of a series' child: many times what it takes
TRIES = 2  # a child may have been killed for want of memory by others; only what fails again is at fault itself
REPORT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
    "1.2.840.10008.5.1.4.1.1.88.11",  # Basic Text SR
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
)


@dataclass(frozen=True, slots=True)
class Member:
    """A kept instance with what it says of itself."""

    kept: Kept
    header: Header


class Rotten(Exception):
    """A file of the spool is not what was received; it was set aside and the study must be looked at again."""


class Publisher:
    """Publishes finished studies; `encoders` series are built at once."""

    def __init__(self, settings: Settings, keys: Keys, archive: Archive, spool: Spool, book: Book, status: Status) -> None:
        self._settings, self._keys, self._archive = settings, keys, archive
        self._spool, self._book, self._status = spool, book, status
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(settings.encoders, thread_name_prefix="encode")
        self._reports = ReportPublisher(settings, archive, spool, book, self._stop)

    def publish(self, study_key: str, seen: tuple[int, int]) -> None:
        """Publish a study as it lies now. `seen`: (mtime_ns, instances) that the decision saw."""
        members = self._members(study_key)
        if not members:
            return
        groups: dict[str, list[Member]] = {}
        for member in members:
            groups.setdefault(member.header.series_instance_uid, []).append(member)
        try:
            entries = list(self._pool.map(lambda group: self._series(study_key, group), groups.values()))
        except Rotten:
            log.error("a file rotted in the spool and was set aside", extra={"study_key": study_key})
            return
        except CancelledError as error:  # the pool was closed before this series had its turn
            raise workers.Stopped from error
        entries.sort(key=lambda e: (e["number"] is None, e["number"] or 0, e["series_instance_uid"]))
        manifest = self._manifest(study_key, members, entries)
        key = layout.manifest(self._settings.hospital, study_key, manifest["revision"])
        self._put_json(key, manifest)
        for member in members:  # before the commit: once the study counts as published, nobody looks at it again
            if member.header.sop_class_uid in REPORT_CLASSES:
                self._reports.publish_embedded(member.kept.path, member.header)
        self._commit(study_key, seen, members, manifest, key)

    def _members(self, study_key: str) -> list[Member]:
        members = []
        for kept in self._spool.instances(study_key):
            try:
                members.append(Member(kept, read_header(kept.path.read_bytes())))
            except NotDicom as error:
                self._spool.set_aside(kept, str(error))
        return members

    def _series(self, study_key: str, group: Sequence[Member]) -> dict[str, Any]:
        """The series' manifest entry, with its objects in the archive."""
        hashes = sorted(member.kept.sha256 for member in group)
        content_id = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
        name = layout.series_entry(self._settings.hospital, content_id)
        try:
            return json.loads(self._archive.read(name))
        except ArchiveMissing:
            pass
        with self._spool.scratch() as out:
            self._check(group)
            entry = self._build(study_key, [member.kept.path for member in group], out)
            if entry["content_id"] != content_id:
                raise Rotten
            self._upload(entry, out)
        self._put_json(name, entry)
        return entry

    def _check(self, group: Sequence[Member]) -> None:
        """Bit-rot is found before upload, by the hash taken at reception."""
        rotten = [member.kept for member in group if sha256_of(member.kept.path) != member.kept.sha256]
        for kept in rotten:
            self._spool.set_aside(kept, "its bytes are not those that were received: the spool's disk has rotted; ask for it again")
        if rotten:
            raise Rotten

    def _build(self, study_key: str, paths: list[Path], out: Path) -> dict[str, Any]:
        """Build in a child. Of a series that breaks its child each time, the files at fault are kept as received, the rest is shown."""
        progress = out / "progress"
        self._status.building(study_key, progress)

        def build(files: list[Path], folder: Path) -> dict[str, Any]:
            megabytes = sum(path.stat().st_size for path in files) / 1e6
            limit = SECONDS_LEAST + SECONDS_A_FILE * len(files) + SECONDS_A_MEGABYTE * megabytes
            arguments = ([str(p) for p in files], str(folder), str(progress))
            return workers.run(workers.build_series, *arguments, seconds=limit, stop=self._stop)

        for _ in range(TRIES):
            try:
                return build(paths, out)
            except workers.ChildFailed as error:
                log.error("a series could not be encoded", extra={"study_key": study_key, "why": str(error)})
            for left in out.iterdir():
                left.unlink()
        entry = build_around(paths, out, build)
        kept = sum("why" in instance for instance in entry["instances"])
        log.error("a series is shown without what breaks the decoder", extra={"study_key": study_key, "not_shown": kept})
        return entry

    def _upload(self, entry: dict[str, Any], out: Path) -> None:
        hospital, content_id = self._settings.hospital, entry["content_id"]
        entry["exact"]["key"] = layout.exact(hospital, content_id)
        self._archive.put(entry["exact"]["key"], out / "exact", entry["exact"]["sha256"])
        for stack in entry["stacks"]:
            stack["preview"]["key"] = layout.preview(hospital, content_id, stack["n"])
            self._archive.put(stack["preview"]["key"], out / f"{stack['n']}.preview", stack["preview"]["sha256"])

    def _manifest(self, study_key: str, members: Sequence[Member], entries: list[dict[str, Any]]) -> dict[str, Any]:
        first = members[0].header
        revision = hashlib.sha256("\n".join(sorted(e["content_id"] for e in entries)).encode()).hexdigest()
        return {
            "schema": "cloudfilm-manifest/1",
            "hospital": self._settings.hospital,
            "study_key": study_key,
            "revision": revision,
            "study": {
                "study_instance_uid": first.study_instance_uid,
                "accession_number": first.accession_number,
                "study_date": first.study_date,
                "description": first.study_description,
                "modalities": sorted({m.header.modality for m in members if m.header.modality}),
                "body_part": first.body_part,
            },
            "instances": len(members),
            "bytes": sum(i["size"] for e in entries for i in e["instances"]),
            "series": entries,
        }

    def _commit(self, study_key: str, seen: tuple[int, int], members: Sequence[Member], manifest: dict[str, Any], key: str) -> None:
        now = clock.now()
        received = sorted(datetime.fromtimestamp(member.kept.path.stat().st_mtime, UTC) for member in members)
        shown = sum(len(stack["frames"]) > 0 for e in manifest["series"] for stack in e["stacks"])
        body = {
            **self.told(study_key, members[0].header, seen[1]),
            "revision": manifest["revision"],
            "manifest": key,
            "instances": manifest["instances"],
            "bytes": manifest["bytes"],
            "series": shown,
            "first_received_at": received[0].isoformat(),
            "last_received_at": received[-1].isoformat(),
            "not_shown": sum(not i["frames"] for e in manifest["series"] for i in e["instances"]),
        }
        letter = letters.write(hospital=self._settings.hospital, kind=letters.Kind.STUDY_PUBLISHED, at=now, body=body)
        with self._book.change() as c:
            self._book.post(c, letter)
            self._book.note_published(c, study_key, seen, manifest["revision"], now)
        self._status.published(study_key)
        log.info("study published", extra={"study_key": study_key, "instances": manifest["instances"]})

    def told(self, study_key: str, header: Header, received: int) -> dict[str, Any]:
        """The part of a letter that study-arriving and study-published share (contracts.md 3)."""
        order = self._book.order(header.accession_number) if header.accession_number else None
        return {
            "study_key": study_key,
            "study_instance_uid": header.study_instance_uid,
            "accession_number": header.accession_number,
            "patient_id": header.patient_id,
            "patient_name": header.patient_name,
            "sex": header.sex,
            "age": header.age,
            "study_date": header.study_date,
            "description": header.study_description,
            "modality": header.modality,
            "received": received,
            "expected": order.expected if order else None,
            "visit_id": order.visit_id if order else None,
        }

    def _put_json(self, key: str, value: dict[str, Any]) -> None:
        data = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        self._archive.put(key, data, sha256_of(data))

    def publish_reports(self) -> None:
        """Publish the reports that wait in the spool."""
        self._reports.publish_waiting()

    def close(self) -> None:
        """End what is being built; it is built anew after the next start."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
