"""From spool to archive: once, the same addresses after a kill, a late image as a new revision, rot found, a broken child survived."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from cloudfilm.archive.originals import original
from cloudfilm.domain.letters import Kind
from cloudfilm.gateway import workers
from tests.installation import ROOT

from .hospital import Hospital, slices


def objects(hospital: Hospital) -> dict[str, str]:
    """Key and hash of everything published."""
    return {key: hospital.archive.stat(key).sha256 for key in hospital.archive.list("h/") if not key.startswith(("h/mail/", "h/filed/"))}


def published(hospital: Hospital, count: int = 1) -> None:
    hospital.until(lambda: len(hospital.mail(Kind.STUDY_PUBLISHED)) >= count)


def test_a_finished_study_is_published_whole_and_comes_back_bit_for_bit(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home")
    with hospital.running():
        hospital.send(slices(tmp_path / "sent"))
        published(hospital)
    letter = hospital.mail(Kind.STUDY_PUBLISHED)[0]
    assert (letter.body["instances"], letter.body["series"]) == (3, 1)
    manifest = json.loads(hospital.archive.read(letter.body["manifest"]))
    assert "Test" not in json.dumps(manifest)
    series = manifest["series"][0]
    back = {original(hospital.archive, series, instance) for instance in series["instances"]}
    assert back == {p.read_bytes() for p in hospital.kept()}


def test_a_late_image_is_a_new_revision_that_shares_untouched_series(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home")
    other = slices(tmp_path / "other", 2)
    for path in other:
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID += ".9"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID + ".9"
        dataset.save_as(path)
    with hospital.running():
        hospital.send(slices(tmp_path / "sent") + other)
        published(hospital)
        before = objects(hospital)
        hospital.send(slices(tmp_path / "late", 1, first=3))
        published(hospital, 2)
    first, second = (x.body for x in hospital.mail(Kind.STUDY_PUBLISHED))
    assert (first["instances"], second["instances"]) == (5, 6)
    assert first["revision"] != second["revision"]
    after = objects(hospital)
    assert before.items() <= after.items()
    assert len([key for key in after.keys() - before.keys() if key.endswith(".exact")]) == 1


def test_killed_at_any_moment_and_started_again_it_ends_at_the_same_addresses(tmp_path: Path) -> None:
    calm = Hospital(tmp_path / "calm")
    sent = slices(tmp_path / "sent", 4)
    with calm.running():
        calm.send(sent)
        published(calm)
    want = {key for key in objects(calm) if "/series/" in key}
    shaken = Hospital(tmp_path / "shaken")
    environment = {**os.environ, "CLOUDFILM_HOME": str(shaken.settings.home), "CLOUDFILM_HOSPITAL": "h", "CLOUDFILM_QUIET_SECONDS": "0.5"}
    environment |= {"CLOUDFILM_DICOM_PORT": str(shaken.settings.dicom_port), "CLOUDFILM_ENCODERS": "1"}
    first = True
    for pause in (0.2, 0.9, 1.3, 1.7, 2.2, 3.0, 60.0):
        process = subprocess.Popen([sys.executable, "-m", "cloudfilm", "gateway"], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        if first:
            shaken.until(shaken.listens)
            shaken.send(sent)
            first = False
        end = time.monotonic() + pause
        while time.monotonic() < end and not shaken.mail(Kind.STUDY_PUBLISHED):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    letters = shaken.mail(Kind.STUDY_PUBLISHED)
    assert len({x.body["revision"] for x in letters}) == 1
    assert {key for key in objects(shaken) if "/series/" in key} == want
    assert len(shaken.kept()) == 4


def test_rot_in_the_spool_is_found_before_upload(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home", QUIET_SECONDS="1.5")
    with hospital.running():
        hospital.send(slices(tmp_path / "sent"))
        rotten = hospital.kept()[0]
        data = bytearray(rotten.read_bytes())
        data[-100] ^= 1
        seen = rotten.stat()
        rotten.write_bytes(bytes(data))
        os.utime(rotten, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        hospital.until(lambda: list((hospital.spool / "quarantine").glob("*.txt")))
        published(hospital)
    assert "rotted" in next((hospital.spool / "quarantine").glob("*.txt")).read_text()
    assert hospital.mail(Kind.STUDY_PUBLISHED)[0].body["instances"] == 2


def test_reports_inside_a_study_are_published_as_reports(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path / "home")
    with hospital.running():
        hospital.send([*slices(tmp_path / "sent", 1), _encapsulated(tmp_path / "pdf.dcm")])
        hospital.until(lambda: hospital.mail(Kind.REPORT_PUBLISHED))
    told = hospital.mail(Kind.REPORT_PUBLISHED)[0].body
    assert told["source"] == "encapsulated"
    assert hospital.archive.read(told["pdf"]["key"]).startswith(b"%PDF")


def _encapsulated(path: Path) -> Path:
    from .test_doors import _pdf

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.50.7.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.50", "1.2.826.0.1.3680043.8.498.50.7"
    dataset.Modality, dataset.PatientID, dataset.PatientName, dataset.AccessionNumber = "DOC", "P1", "Test^Person", "CT1"
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    pdf = _pdf()
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _hang() -> None:
    time.sleep(600)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGABRT)


def _eat() -> int:
    return len(bytearray(workers.MEMORY_BYTES))


@pytest.mark.parametrize(("job", "why"), [(_hang, "longer than"), (_die, "broke down"), (_eat, "MemoryError")])
def test_a_child_that_hangs_dies_or_eats_fails_only_its_job(job: object, why: str) -> None:
    with pytest.raises(workers.ChildFailed, match=why):
        workers.run(job, seconds=3 if job is _hang else 30)  # type: ignore[arg-type]
    assert workers.run(os.path.basename, "/a/b", seconds=30) == "b"


def test_a_series_that_breaks_its_child_is_kept_verbatim(tmp_path: Path) -> None:
    from cloudfilm.gateway.verbatim import verbatim_series

    sent = slices(tmp_path / "sent")
    entry = verbatim_series(list(reversed(sent)), tmp_path)
    assert entry["stacks"] == []
    whole = (tmp_path / "exact").read_bytes()
    for instance in entry["instances"]:
        assert whole[instance["at"] : instance["at"] + instance["size"]] in {p.read_bytes() for p in sent}
