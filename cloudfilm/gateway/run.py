"""The gateway process: doors open, studies assembled and published, letters posted, until told to stop."""

import logging
import threading
import time
from dataclasses import dataclass

from cloudfilm import clock
from cloudfilm.archive.contract import Archive, ArchiveRefused, ArchiveUnavailable
from cloudfilm.domain import letters
from cloudfilm.imaging.header import Header, NotDicom, read_header
from cloudfilm.keys import Keys
from cloudfilm.settings import Settings

from . import assembly, outbox
from .book import Book
from .doors.dicom import DicomDoor
from .doors.folder import FolderDoor
from .intake import Intake
from .publisher import Publisher
from .spool import Spool
from .status import Status

log = logging.getLogger(__name__)

BEAT_S = 0.3
ARRIVING_EVERY_S = 5.0
RETRY_S, RETRY_LONGEST_S = 2.0, 120.0


def open_spool(settings: Settings) -> tuple[Spool, Book]:
    """The spool and its book under the home folder, for the gateway and for commands beside it."""
    spool = Spool(settings.home / "spool")
    return spool, Book(spool.root / "book.sqlite")


@dataclass(slots=True)
class _Told:
    """When a study's arrival was last told, and how many instances then."""

    at: float
    instances: int
    header: Header


class Gateway:
    """One hospital's gateway."""

    def __init__(self, settings: Settings, keys: Keys, archive: Archive) -> None:
        self._settings, self._archive = settings, archive
        self._spool, self._book = open_spool(settings)
        self._status = Status(settings.home)
        self._intake = Intake(settings, keys, self._spool, self._book)
        self._publisher = Publisher(settings, keys, archive, self._spool, self._book, self._status)
        self._told: dict[str, _Told] = {}
        self._retry: dict[str, tuple[float, float]] = {}  # study key -> (not before, pause)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        self._spool.sweep()
        dicom = DicomDoor(self._settings, self._intake)
        folder = FolderDoor(self._settings.watch, self._intake)
        threads = [
            threading.Thread(target=self._repeat, args=(stop, folder.poll), name="folder"),
            threading.Thread(target=self._repeat, args=(stop, self._post), name="outbox"),
            threading.Thread(target=self._repeat, args=(stop, self._publish_due), name="publish"),
            threading.Thread(target=self._repeat, args=(stop, self._look), name="look"),
        ]
        for thread in threads:
            thread.start()
        log.info("gateway open", extra={"aet": self._settings.aet, "port": self._settings.dicom_port})
        stop.wait()
        dicom.close()
        for thread in threads:
            thread.join()
        self._publisher.close()

    def _repeat(self, stop: threading.Event, act) -> None:  # type: ignore[no-untyped-def]
        """Call `act` at each beat. Its failures are logged and tried again: one bad thing must not stop the rest."""
        pause = BEAT_S
        while not stop.is_set():
            try:
                act()
                pause = BEAT_S
            except Exception:  # the net of a loop that must go on
                log.exception("a round failed and will be tried again")
                pause = min(RETRY_LONGEST_S, max(RETRY_S, 2 * pause))
            stop.wait(pause)

    def _post(self) -> None:
        outbox.post_due(self._book, self._archive, self._settings.hospital)

    def _seen(self) -> list[assembly.Seen]:
        """Studies that are not published as they lie now."""
        published = self._book.all_published()
        return [
            assembly.Seen(study_key, instances, mtime_ns / 1e9, self._expected(study_key), published.get(study_key), mtime_ns)
            for study_key, instances, mtime_ns in self._spool.changed(published)
        ]

    def _expected(self, study_key: str) -> int | None:
        header = self._header(study_key)
        order = self._book.order(header.accession_number) if header and header.accession_number else None
        return order.expected if order else None

    def _header(self, study_key: str) -> Header | None:
        told = self._told.get(study_key)
        if told is not None:
            return told.header
        for kept in self._spool.instances(study_key):
            try:
                header = read_header(kept.path.read_bytes())
            except (NotDicom, OSError):
                continue
            self._told[study_key] = _Told(0.0, 0, header)
            return header
        return None

    def _look(self) -> None:
        """Tell the cloud what is arriving, and the operator what is going on."""
        for seen in self._seen():
            self._status.received(seen.study_key, seen.instances, seen.expected)
            header = self._header(seen.study_key)
            if header is not None and seen.published is None:
                self._tell(seen, self._told[seen.study_key])
        self._status.write(self._book.counts())

    def _tell(self, seen: assembly.Seen, told: _Told) -> None:
        now = time.monotonic()
        if seen.instances == told.instances or now - told.at < ARRIVING_EVERY_S:
            return
        body = self._publisher.told(seen.study_key, told.header, seen.instances)
        letter = letters.write(hospital=self._settings.hospital, kind=letters.Kind.STUDY_ARRIVING, at=clock.now(), body=body)
        with self._book.change() as c:
            self._book.post(c, letter)
        told.at, told.instances = now, seen.instances

    def _publish_due(self) -> None:
        now = time.time()
        due = [s for s in self._seen() if assembly.finished(s, now=now, quiet_s=self._settings.quiet_seconds)]
        for seen in sorted(due, key=lambda s: s.last_arrival):
            not_before, pause = self._retry.get(seen.study_key, (0.0, RETRY_S))
            if now < not_before:
                continue
            try:
                self._publisher.publish(seen.study_key, (seen.mtime_ns, seen.instances))
                self._retry.pop(seen.study_key, None)
            except (ArchiveUnavailable, ArchiveRefused, OSError) as error:
                log.warning("a study could not be published yet", extra={"study_key": seen.study_key, "why": str(error)[:200]})
                self._retry[seen.study_key] = (now + pause, min(RETRY_LONGEST_S, 2 * pause))
        self._publisher.publish_reports()


def run(settings: Settings, keys: Keys, archive: Archive, stop: threading.Event) -> None:
    """Run the gateway of this installation until `stop` is set."""
    Gateway(settings, keys, archive).run(stop)
