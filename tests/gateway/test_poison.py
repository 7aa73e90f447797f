"""One bad thing stops nothing else: hostile files, cut copies, Ctrl-C, an archive that is away, a letter it will not take."""

import json
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudfilm.archive.contract import ArchiveRefused, ArchiveUnavailable
from cloudfilm.archive.filesystem import FilesystemArchive
from cloudfilm.domain import letters
from cloudfilm.domain.letters import Kind
from cloudfilm.gateway import workers
from cloudfilm.gateway.book import Book
from cloudfilm.gateway.doors import folder as folder_door
from cloudfilm.gateway.doors.folder import FolderDoor
from cloudfilm.gateway.intake import Intake, looks_whole
from cloudfilm.gateway.outbox import Outbox
from cloudfilm.gateway.spool import Spool

from .hospital import Hospital, slices

REPORT = {"schema": "cloudfilm-report-sidecar/1", "accession": "CT1", "status": "final", "impression": "未见异常。", "pdf": ""}


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path / "home")


@pytest.fixture
def door(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> FolderDoor:
    """The watched folder's door by itself, which finds a file at rest at the second look."""
    monkeypatch.setattr(folder_door, "STABLE_S", 0.0)
    spool = Spool(hospital.spool)
    return FolderDoor(hospital.settings.watch, Intake(hospital.settings, hospital.keys, spool, Book(hospital.spool / "book.sqlite")))


def test_json_nested_without_end_stops_no_file_behind_it(hospital: Hospital, door: FolderDoor, tmp_path: Path) -> None:
    watch = hospital.settings.watch
    (watch / "a.json").write_text('{"schema":' + "[" * 500_000 + "]" * 500_000 + "}")
    slices(watch, 1)
    door.poll()
    assert len(hospital.kept()) == 1
    assert len(list((hospital.spool / "quarantine").glob("*.txt"))) == 1


def test_a_file_that_cannot_be_moved_away_stops_no_file_behind_it(hospital: Hospital, door: FolderDoor, tmp_path: Path) -> None:
    watch = hospital.settings.watch
    (first,) = slices(watch, 1)
    (watch / "taken" / first.name / "in the way").mkdir(parents=True)
    slices(watch, 1, first=1)
    door.poll()
    assert len(hospital.kept()) == 2
    assert first.exists() and not (watch / "001.dcm").exists()


def test_a_cut_copy_waits_for_its_rest_and_the_whole_file_is_kept(hospital: Hospital, door: FolderDoor, tmp_path: Path) -> None:
    (whole,) = slices(tmp_path / "sent", 1)
    data = whole.read_bytes()
    target = hospital.settings.watch / "slow.dcm"
    for length in (200, 1000, len(data) - 500):
        target.write_bytes(data[:length])
        door.poll()
        assert hospital.kept() == [] and not list((hospital.spool / "quarantine").iterdir())
    target.write_bytes(data)
    door.poll()
    assert [p.read_bytes() for p in hospital.kept()] == [data]
    assert not list((hospital.spool / "held").iterdir())


def test_a_file_that_stays_cut_is_kept_in_the_end(
    hospital: Hospital, door: FolderDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = slices(tmp_path / "sent", 1)
    (hospital.settings.watch / "cut.dcm").write_bytes(whole.read_bytes()[:-500])
    monkeypatch.setattr(folder_door, "PATIENCE_S", 0.0)
    door.poll()
    assert len(hospital.kept()) == 1


def test_most_files_of_the_collection_say_that_they_are_whole(shared_data: Path) -> None:
    """Else it would wait for nothing. What is cut indeed, or ends with other elements than pixels, may wait."""
    files = [p for p in sorted((shared_data / "variety").rglob("*")) if p.is_file() and p.suffix in ("", ".dcm")]
    waiting = [p for p in files if not looks_whole(p)]
    assert len(files) > 50
    assert len(waiting) < len(files) / 5, waiting


def test_what_was_taken_before_is_not_looked_at_again(hospital: Hospital, door: FolderDoor) -> None:
    slices(hospital.settings.watch / "taken", 2)
    slices(hospital.settings.watch / "sub" / "taken", 1, first=5)  # a folder of that name elsewhere is a folder like any
    door.poll()
    assert len(hospital.kept()) == 1


def _wait_for_interrupt() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "went on"


def test_ctrl_c_in_the_terminal_breaks_no_encoder() -> None:
    assert workers.run(_wait_for_interrupt, seconds=30) == "went on"


def _hang() -> None:
    threading.Event().wait()


def test_a_stopped_gateway_ends_its_child_without_a_verdict_on_the_series() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(workers.Stopped):
        workers.run(_hang, seconds=60, stop=stop)


def test_a_gateway_stopped_while_it_encodes_publishes_the_pictures_after_the_next_start(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home", QUIET_SECONDS="0.1")
    with hospital.running():
        hospital.send(slices(tmp_path / "sent", 40))
        hospital.until(lambda: list((hospital.spool / "encoding").iterdir()))
    assert not list((hospital.spool / "encoding").iterdir())
    with hospital.running():
        hospital.until(lambda: any(x.body["instances"] == 40 for x in hospital.mail(Kind.STUDY_PUBLISHED)))
    last = hospital.mail(Kind.STUDY_PUBLISHED)[-1].body
    assert last["not_shown"] == 0 and last["series"] == 1
    assert last["first_received_at"] <= last["last_received_at"]


class Moody:
    """The folder archive, which is away or refuses when told to."""

    def __init__(self, root: Path) -> None:
        self._real = FilesystemArchive(root)
        self.away, self.refuses = False, ""
        self.asked = self.refused = 0  # while away; what is refused

    def put(self, key: str, source: bytes | Path, sha256: str) -> None:
        if self.away:
            self.asked += 1
            raise ArchiveUnavailable("away")
        if self.refuses and isinstance(source, bytes) and self.refuses in source.decode():
            self.refused += 1
            raise ArchiveRefused("not this one")
        self._real.put(key, source, sha256)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def _letters(book: Book, count: int) -> None:
    with book.change() as c:
        for n in range(count):
            body = {"accession_number": f"A{n}", "status": "final", "content": "c"}
            at = datetime(2026, 11, 24, 8, 0, n, tzinfo=UTC)
            book.post(c, letters.write(hospital="h", kind=letters.Kind.REPORT_PUBLISHED, at=at, body=body))


def test_letters_wait_for_an_archive_that_is_away_and_leave_oldest_first(tmp_path: Path) -> None:
    archive, book = Moody(tmp_path / "archive"), Book(tmp_path / "book.sqlite")
    _letters(book, 5)
    outbox = Outbox(book, archive, "h")  # type: ignore[arg-type]
    archive.away = True
    assert outbox.post_due() == 0
    archive.away = False
    assert outbox.post_due() == 0  # the pause is not over
    assert Outbox(book, archive, "h").post_due() == 5  # type: ignore[arg-type]  a new start forgets the pause, not the letters
    assert book.unposted() == 0
    keys = list(archive.list("h/mail/"))  # type: ignore[operator]
    assert [json.loads(archive.read(k))["body"]["accession_number"] for k in keys] == [f"A{n}" for n in range(5)]  # type: ignore[operator]


def test_a_letter_that_is_refused_stops_no_other(tmp_path: Path) -> None:
    archive, book = Moody(tmp_path / "archive"), Book(tmp_path / "book.sqlite")
    _letters(book, 3)
    archive.refuses = '"A1"'
    assert Outbox(book, archive, "h").post_due() == 2  # type: ignore[arg-type]
    assert book.unposted() == 1


def test_a_report_whose_pdf_still_grows_waits_for_the_whole_pdf(hospital: Hospital, door: FolderDoor) -> None:
    watch, pdf = hospital.settings.watch, b"%PDF-1.4\n" + b"x" * 5000 + b"\n%%EOF\n"
    (watch / "report.json").write_text(json.dumps({**REPORT, "pdf": "report.pdf"}))
    (watch / "report.pdf").write_bytes(pdf[:3000])
    door.poll()
    assert not list((hospital.spool / "reports").iterdir())
    (watch / "report.pdf").write_bytes(pdf)
    door.poll()
    assert [p.read_bytes() for p in (hospital.spool / "reports").glob("*/report.pdf")] == [pdf]
    assert not (watch / "report.pdf").exists() and not (watch / "report.json").exists()


def test_a_study_waits_for_an_archive_that_is_away_and_the_film_arrives_once(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home", QUIET_SECONDS="0.1")
    moody = Moody(tmp_path / "home" / "archive")
    moody.away = True
    hospital.archive = moody  # type: ignore[assignment]
    with hospital.running():
        assert hospital.send(slices(tmp_path / "sent", 1)) == [0]
        hospital.until(lambda: moody.asked)
        moody.away = False
        hospital.until(lambda: hospital.mail(Kind.STUDY_PUBLISHED))
    assert len({x.body["revision"] for x in hospital.mail(Kind.STUDY_PUBLISHED)}) == 1


def test_one_study_that_the_archive_refuses_holds_up_no_other(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home", QUIET_SECONDS="0.1")
    moody = Moody(tmp_path / "home" / "archive")
    moody.refuses = "1.2.3.4.666.1"  # the manifest of this study names its UID
    hospital.archive = moody  # type: ignore[assignment]
    with hospital.running():
        hospital.send(slices(tmp_path / "bad", 1, study="1.2.3.4.666"))
        hospital.until(lambda: moody.refused)
        hospital.send(slices(tmp_path / "good", 1))
        hospital.until(lambda: hospital.mail(Kind.STUDY_PUBLISHED))
    assert [x.body["study_instance_uid"] for x in hospital.mail(Kind.STUDY_PUBLISHED)] == ["1.2.826.0.1.3680043.8.498.50"]
