"""The gateway process: doors open, studies assembled and published, letters posted, until told to stop."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from cloudfilm import clock
from cloudfilm.archive.contract import Archive, ArchiveRefused, ArchiveUnavailable
from cloudfilm.domain import letters
from cloudfilm.imaging.header import Header, NotDicom, read_header
from cloudfilm.keys import Keys
from cloudfilm.settings import Settings

from . import assembly, outbox, workers
from .book import Book
from .doors.dicom import DicomDoor
from .doors.folder import FolderDoor
from .intake import Intake
from .publisher import Publisher
from .spool import Spool
from .status import Status

log = logging.getLogger(__name__)

BEAT_S = 0.3
STUDIES_AT_ONCE = 3  # a hospital's huge or hanging study must not hold up the small ones behind it
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
        self._settings = settings
        self._spool, self._book = open_spool(settings)
        self._status = Status(settings.home)
        self._intake = Intake(settings, keys, self._spool, self._book)
        self._publisher = Publisher(settings, keys, archive, self._spool, self._book, self._status)
        self._told: dict[str, _Told] = {}
        self._since: dict[str, tuple[int, float]] = {}  # study key -> (its mtime_ns, when we first saw that; monotonic)
        self._retry: dict[str, tuple[float, float]] = {}  # study key -> (not before, pause; monotonic)
        self._running: dict[str, Future[None]] = {}  # studies being published
        self._studies = ThreadPoolExecutor(STUDIES_AT_ONCE, thread_name_prefix="study")
        self._outbox = outbox.Outbox(self._book, archive, settings.hospital)

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
        self._publisher.close()
        for thread in threads:
            thread.join()
        self._studies.shutdown(wait=True, cancel_futures=True)
        self._spool.close()

    def _repeat(self, stop: threading.Event, act: Callable[[], object]) -> None:
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
        self._outbox.post_due()

    def _seen(self) -> list[assembly.Seen]:
        """Studies that are not published as they lie now."""
        published = self._book.all_published()
        return [
            assembly.Seen(
                study_key, instances, self._quiet(study_key, mtime_ns), self._expected(study_key), published.get(study_key), mtime_ns
            )
            for study_key, instances, mtime_ns in self._spool.changed(published)
        ]

    def _quiet(self, study_key: str, mtime_ns: int) -> float:
        """Seconds for which nothing came. The clock of the day may have been set back meanwhile: what we saw ourselves counts too."""
        seen = self._since.get(study_key)
        if seen is None or seen[0] != mtime_ns:
            seen = self._since[study_key] = (mtime_ns, time.monotonic())
        return max(time.time() - mtime_ns / 1e9, time.monotonic() - seen[1])

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
            told = self._told.get(seen.study_key)
            if header is not None and told is not None and seen.published is None:
                self._tell(seen, told)
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
        """Begin the finished studies, the longest waiting first, and publish the reports that wait."""
        self._running = {key: future for key, future in self._running.items() if not future.done()}
        due = [s for s in self._seen() if s.study_key not in self._running and assembly.finished(s, quiet_s=self._settings.quiet_seconds)]
        for seen in sorted(due, key=lambda s: -s.quiet_s):
            if len(self._running) >= STUDIES_AT_ONCE:
                break
            if time.monotonic() >= self._retry.get(seen.study_key, (0.0, 0.0))[0]:
                self._running[seen.study_key] = self._studies.submit(self._publish, seen)
        self._publisher.publish_reports()

    def _publish(self, seen: assembly.Seen) -> None:
        """Publish one study; what fails here is tried again after a growing pause, and is this study's matter alone."""
        key = seen.study_key
        try:
            self._publisher.publish(key, (seen.mtime_ns, seen.instances))
        except workers.Stopped:
            return
        except Exception as error:  # the net of one study
            kind = logging.WARNING if isinstance(error, ArchiveUnavailable) else logging.ERROR
            why = str(error)[:200] if isinstance(error, ArchiveUnavailable | ArchiveRefused) else type(error).__name__
            log.log(kind, "a study could not be published yet", extra={"study_key": key, "why": why})
            pause = self._retry.get(key, (0.0, RETRY_S))[1]
            self._retry[key] = (time.monotonic() + pause, min(RETRY_LONGEST_S, 2 * pause))
            return
        for memory in (self._retry, self._since, self._told):
            memory.pop(key, None)


def run(settings: Settings, keys: Keys, archive: Archive, stop: threading.Event) -> None:
    """Run the gateway of this installation until `stop` is set."""
    Gateway(settings, keys, archive).run(stop)
