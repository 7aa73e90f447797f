"""What comes in by C-STORE and by the watched folder: kept, doubled, held, quarantined; nothing hostile stops the rest."""

import hashlib
import json
import shutil
import time
from pathlib import Path

import pydicom
import pytest

from cloudfilm.domain.letters import Kind
from cloudfilm.gateway.spool import Spool

from .hospital import Hospital, slices


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path / "home")


def test_what_is_acknowledged_is_kept_whole_and_readable_by_any_dicom_tool(hospital: Hospital, tmp_path: Path) -> None:
    sent = slices(tmp_path / "sent")
    with hospital.running():
        assert hospital.send(sent) == [0, 0, 0]
        kept = hospital.kept()
    assert len(kept) == 3
    for path in kept:
        assert path.name.endswith(f".{hashlib.sha256(path.read_bytes()).hexdigest()}.dcm")
    mine = {bytes(pydicom.dcmread(p).PixelData) for p in sent}
    assert {bytes(pydicom.dcmread(p).PixelData) for p in kept} == mine


def test_an_instance_sent_twice_is_success_and_kept_once(hospital: Hospital, tmp_path: Path) -> None:
    sent = slices(tmp_path / "sent", 1)
    with hospital.running():
        assert hospital.send(sent) + hospital.send(sent) == [0, 0]
        assert len(hospital.kept()) == 1


def test_the_same_uid_with_other_pixels_is_held_and_never_in_the_others_place(hospital: Hospital, tmp_path: Path) -> None:
    sent = slices(tmp_path / "sent", 1)
    other = pydicom.dcmread(sent[0])
    other.PixelData = bytes(len(other.PixelData))
    other.save_as(tmp_path / "other.dcm")
    with hospital.running():
        assert hospital.send([*sent, tmp_path / "other.dcm"]) == [0, 0]
        kept = hospital.kept()
    assert [bytes(pydicom.dcmread(p).PixelData) for p in kept] == [bytes(pydicom.dcmread(sent[0]).PixelData)]
    assert len(list((hospital.spool / "held").rglob("*.dcm"))) == 1


def test_a_full_disk_is_refused_as_out_of_resources_and_recovers_by_itself(tmp_path: Path) -> None:
    from cloudfilm.gateway.book import Book
    from cloudfilm.gateway.doors.dicom import DicomDoor
    from cloudfilm.gateway.intake import Intake

    class NearlyFull:
        """The real disk, with as much free as the test says."""

        def __init__(self) -> None:
            from cloudfilm.gateway.disk import RealDisk

            self._real, self.free = RealDisk(), 0

        def free_bytes(self, folder: Path) -> int:
            return self.free

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

    hospital = Hospital(tmp_path / "home")
    disk = NearlyFull()
    spool = Spool(hospital.spool, disk=disk)  # type: ignore[arg-type]
    door = DicomDoor(hospital.settings, Intake(hospital.settings, hospital.keys, spool, Book(hospital.spool / "book.sqlite")))
    sent = slices(tmp_path / "sent", 1)
    try:
        assert hospital.send(sent) == [0xA700]
        assert hospital.kept() == []
        disk.free = 1 << 40
        assert hospital.send(sent) == [0]
    finally:
        door.close()
    assert len(hospital.kept()) == 1


def test_a_uid_that_is_a_path_stays_out_of_the_file_system(hospital: Hospital, tmp_path: Path) -> None:
    bad = pydicom.dcmread(slices(tmp_path / "sent", 1)[0])
    bad.SOPInstanceUID = "../../../etc/passwd"
    bad.save_as(tmp_path / "bad.dcm", enforce_file_format=False)
    with hospital.running():
        shutil.copy(tmp_path / "bad.dcm", hospital.settings.watch / "bad.dcm")
        hospital.until(lambda: list((hospital.spool / "quarantine").glob("*.txt")))
    assert hospital.kept() == []
    assert not (tmp_path / "etc").exists()


def test_every_broken_file_of_the_collection_leaves_the_gateway_working(hospital: Hospital, tmp_path: Path, shared_data: Path) -> None:
    with hospital.running():
        for path in sorted((shared_data / "corrupt").iterdir()):
            if path.name != "HOW.tsv":
                shutil.copy(path, hospital.settings.watch / path.name)
        good = slices(tmp_path / "good")
        assert hospital.send(good) == [0, 0, 0]
        taken = hospital.settings.watch / "taken"
        count = len(list((shared_data / "corrupt").iterdir())) - 1
        hospital.until(lambda: taken.exists() and len(list(taken.iterdir())) >= count)
        hospital.until(lambda: any(x.body["patient_id"] == "P1" for x in hospital.mail(Kind.STUDY_PUBLISHED)))
    reasons = [p.read_text() for p in (hospital.spool / "quarantine").glob("*.txt")]
    assert len(reasons) >= 10
    assert all(reason.strip() for reason in reasons)


def test_a_file_that_still_grows_is_left_until_it_rests(hospital: Hospital, tmp_path: Path) -> None:
    data = slices(tmp_path / "sent", 1)[0].read_bytes()
    with hospital.running():
        target = hospital.settings.watch / "sub" / "slow.dcm"
        target.parent.mkdir(parents=True)
        with target.open("wb") as growing:
            for at in range(0, len(data), len(data) // 6 + 1):
                growing.write(data[at : at + len(data) // 6 + 1])
                growing.flush()
                time.sleep(0.3)
                assert hospital.kept() == []
        hospital.until(hospital.kept)
        hospital.until(lambda: not target.exists())
    assert not list((hospital.spool / "quarantine").iterdir())


def test_an_order_and_a_report_of_the_folder_become_letters_and_a_link(hospital: Hospital) -> None:
    order = {
        "schema": "cloudfilm-order/1",
        "visit_id": "MZ1",
        "patient_id": "P1",
        "name": "沈若兰",
        "phone": "13900000526",
        "accession": "CT1",
        "ordered_time": "2026-11-20T08:31:10+08:00",
    }
    report = {
        "schema": "cloudfilm-report-sidecar/1",
        "accession": "CT1",
        "status": "final",
        "impression": "未见异常。",
        "pdf": "report.pdf",
    }
    with hospital.running():
        for _ in range(2):
            (hospital.settings.watch / "order.json").write_text(json.dumps(order), encoding="utf-8")
            hospital.until(lambda: not (hospital.settings.watch / "order.json").exists())
        (hospital.settings.watch / "report.json").write_text(json.dumps(report), encoding="utf-8")
        hospital.until(lambda: hospital.mail(Kind.LINK_MINTED))
        assert hospital.mail(Kind.REPORT_PUBLISHED) == []  # its PDF is not there yet
        (hospital.settings.watch / "report.pdf").write_bytes(_pdf())
        hospital.until(lambda: hospital.mail(Kind.REPORT_PUBLISHED))
    assert [len(hospital.mail(kind)) for kind in (Kind.VISIT, Kind.ORDER, Kind.LINK_MINTED)] == [1, 1, 1]
    told = hospital.mail(Kind.REPORT_PUBLISHED)[0].body
    assert len(told["pages"]) == 1
    assert hospital.archive.read(told["pdf"]["key"]) == _pdf()
    assert "13900000526" not in b"".join(p.read_bytes() for p in (hospital.settings.home / "archive").rglob("*.json")).decode()


def _pdf() -> bytes:
    """One empty page, written by hand."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
