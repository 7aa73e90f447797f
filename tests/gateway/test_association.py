"""C-STORE over real sockets: success comes after the disk, broken data sets stop no association, a sender may die."""

import hashlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID
from pynetdicom import AE, _config
from pynetdicom.dimse_primitives import C_STORE

from cloudfilm.gateway.book import Book
from cloudfilm.gateway.disk import RealDisk
from cloudfilm.gateway.doors.dicom import DicomDoor
from cloudfilm.gateway.intake import Intake
from cloudfilm.gateway.spool import Spool

from .hospital import Hospital, slices

CT = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path / "home")


def opened(hospital: Hospital, disk: RealDisk | None = None) -> DicomDoor:
    spool = Spool(hospital.spool, disk)
    return DicomDoor(hospital.settings, Intake(hospital.settings, hospital.keys, spool, Book(hospital.spool / "book.sqlite")))


@pytest.fixture
def door(hospital: Hospital) -> Iterator[DicomDoor]:
    """The receiver by itself: nothing is published."""
    door = opened(hospital)
    yield door
    door.close()


class Watching(RealDisk):
    """Notes what is flushed, and gives a hasty receiver time to answer before the last flush."""

    def __init__(self) -> None:
        self.answered, self.hasty, self.flushed = threading.Event(), False, list[str]()

    def sync(self, path: Path) -> None:
        super().sync(path)
        self.flushed.append("data")

    def sync_folder(self, folder: Path) -> None:
        if self.flushed and folder.parent.name == "studies":
            self.hasty = self.answered.wait(1.0)
            self.flushed.append("name")
        super().sync_folder(folder)


def test_success_is_sent_only_after_the_instance_is_durable(hospital: Hospital, tmp_path: Path) -> None:
    disk = Watching()
    door = opened(hospital, disk)
    try:
        assert hospital.send(slices(tmp_path / "sent", 1)) == [0]
        disk.answered.set()
    finally:
        door.close()
    assert disk.flushed[:2] == ["data", "name"] and not disk.hasty


@pytest.mark.skipif(shutil.which("storescu") is None, reason="NOT RUN: DCMTK's storescu is not installed (apt-get install dcmtk)")
def test_dcmtks_storescu_is_served_and_every_instance_is_kept(hospital: Hospital, door: DicomDoor, tmp_path: Path) -> None:
    sent = slices(tmp_path / "sent", 20)
    call = ["storescu", "-aec", hospital.settings.aet, "127.0.0.1", str(hospital.settings.dicom_port), *map(str, sent)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=100, env={**os.environ, "TCP_NODELAY": "1"})
    assert done.returncode == 0, done.stderr
    assert len(hospital.kept()) == 20
    for path in hospital.kept():
        assert hashlib.sha256(path.read_bytes()).hexdigest() in path.name
    if shutil.which("dcmdump"):
        assert subprocess.run(["dcmdump", "-q", str(hospital.kept()[0])], capture_output=True, timeout=60).returncode == 0


def _raw(path: Path) -> tuple[str, str, bytes]:
    """SOP class, transfer syntax and the data set's bytes of a file, however broken."""
    data = path.read_bytes()
    sop_class, syntax, at = SECONDARY_CAPTURE, "1.2.840.10008.1.2.1", 0
    if data[128:132] == b"DICM":
        try:
            meta = read_file_meta_info(path)
            sop_class, syntax = str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
            at = 144 + int(meta.FileMetaInformationGroupLength)
        except Exception:  # the collection is broken in every way there is
            at = 132
    return sop_class, syntax, data[at:]


def test_every_broken_data_set_of_the_collection_over_one_association(
    hospital: Hospital, door: DicomDoor, tmp_path: Path, shared_data: Path
) -> None:
    good = slices(tmp_path / "good", 1)
    broken = [_raw(p) for p in sorted((shared_data / "corrupt").iterdir()) if p.name != "HOW.tsv"]
    sender = AE()
    for sop_class in sorted({CT, SECONDARY_CAPTURE} | {b[0] for b in broken}):
        sender.add_requested_context(sop_class, ["1.2.840.10008.1.2.1"])
    association = sender.associate("127.0.0.1", hospital.settings.dicom_port, ae_title=hospital.settings.aet)
    assert association.is_established
    accepted = {str(c.abstract_syntax): c.context_id for c in association.accepted_contexts}
    statuses = []
    for n, (sop_class, _, data) in enumerate(b for b in broken if b[0] in accepted and b[2]):
        request = C_STORE()
        request.MessageID, request.Priority = n + 1, 2
        request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = UID(sop_class), UID(f"1.2.9.{n}")
        from io import BytesIO

        request.DataSet = BytesIO(data)
        association._reactor_checkpoint.clear()
        association.dimse.send_msg(request, accepted[sop_class])
        _, answer = association.dimse.get_msg(block=True)
        association._reactor_checkpoint.set()
        assert answer is not None, f"no answer to broken data set {n}"
        statuses.append(int(answer.Status))
    status = association.send_c_store(str(good[0]))
    association.release()
    assert int(status.Status) == 0
    assert len(statuses) > 30 and set(statuses) == {0x0000, 0xC000}
    quarantined = [p for p in (hospital.spool / "quarantine").iterdir() if p.suffix != ".txt"]
    assert quarantined and all(p.with_name(p.name + ".txt").read_text().strip() for p in quarantined)
    for path in hospital.kept():
        assert hashlib.sha256(path.read_bytes()).hexdigest() in path.name


def test_a_sender_that_dies_in_mid_transfer_leaves_nothing_and_the_next_is_served(
    hospital: Hospital, door: DicomDoor, tmp_path: Path
) -> None:
    (whole,) = slices(tmp_path / "sent", 1)
    sender = AE()
    sender.maximum_pdu_size = 4096
    sender.add_requested_context(CT, ["1.2.840.10008.1.2.1"])
    association = sender.associate("127.0.0.1", hospital.settings.dicom_port, ae_title=hospital.settings.aet)
    assert association.is_established
    context = association.accepted_contexts[0].context_id
    half = b"\x08\x00\x16\x00UI\x1a\x00" + b"1.2.840.10008.5.1.4.1.1.2\0" + bytes(2000)
    assert association.dul.socket is not None and association.dul.socket.socket is not None
    # One P-DATA-TF PDU with the first fragment of a data set and no command before or rest behind it (PS3.8 9.3.5).
    value = bytes([context, 0]) + half
    item = len(value).to_bytes(4, "big") + value
    association.dul.socket.socket.sendall(b"\x04\0" + len(item).to_bytes(4, "big") + item)
    association.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    association.abort()
    assert hospital.send([whole]) == [0]
    assert len(hospital.kept()) == 1
    assert not [p for p in (hospital.spool / "incoming").rglob("*") if p.is_file()]


def test_names_are_in_no_log_of_the_receiver(hospital: Hospital, door: DicomDoor, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    hospital.send(slices(tmp_path / "sent", 1))
    assert _config.LOG_HANDLER_LEVEL == "none"
    assert "Test" not in caplog.text and "1.2.826" not in caplog.text


def test_the_port_is_free_again_after_close(hospital: Hospital) -> None:
    for _ in range(2):
        opened(hospital).close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", hospital.settings.dicom_port)) != 0
