"""A hospital of a test's own: a running gateway with its doors, in this process, and a sender of DICOM."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE

from cloudfilm import keys, settings
from cloudfilm.archive import layout, mailbox
from cloudfilm.archive.filesystem import FilesystemArchive
from cloudfilm.domain import letters
from cloudfilm.domain.letters import Letter
from cloudfilm.gateway.run import Gateway
from tests.servers import free_ports

WAIT_S_MAX = 60.0


class Hospital:
    """Settings, keys and archive of one hospital; `running()` opens its gateway."""

    def __init__(self, home: Path, **more: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        own = {"HOME": str(home), "HOSPITAL": "h", "DICOM_PORT": str(free_ports(1)[0]), "QUIET_SECONDS": "0.5", "ENCODERS": "1", **more}
        self.settings = settings.read({f"CLOUDFILM_{name}": value for name, value in own.items()})
        self.keys = keys.load(home, None)
        self.archive = FilesystemArchive(home / "archive")
        self.spool = home / "spool"

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=Gateway(self.settings, self.keys, self.archive).run, args=(stop,))
        thread.start()
        try:
            self.until(lambda: self.listens() and self.settings.watch.is_dir())
            yield
        finally:
            stop.set()
            thread.join(60)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.settings.dicom_port)) == 0

    def mail(self, kind: letters.Kind) -> list[Letter]:
        """The letters of a kind that lie in the box, oldest first."""
        found = [letters.read(data) for _, data in mailbox.unread(self.archive, "h", layout.TO_CLOUD)]
        return [letter for letter in found if letter.kind == kind]

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + WAIT_S_MAX
        while not true():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.05)

    def send(self, paths: list[Path]) -> list[int]:
        """C-STORE files as they are over one association; the status of each."""
        sender = AE()
        for path in paths:
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            syntax = dataset.file_meta.get("TransferSyntaxUID", ExplicitVRLittleEndian)
            sender.add_requested_context(dataset.file_meta.MediaStorageSOPClassUID, syntax)
        association = sender.associate("127.0.0.1", self.settings.dicom_port, ae_title=self.settings.aet)
        assert association.is_established
        statuses = [int(association.send_c_store(str(path)).Status) for path in paths]
        association.release()
        return statuses

    def kept(self) -> list[Path]:
        return sorted((self.spool / "studies").rglob("*.dcm"))


def slices(folder: Path, count: int = 3, study: str = "1.2.826.0.1.3680043.8.498.50", first: int = 0) -> list[Path]:
    """Slices of one small CT series."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for n in range(first, first + count):
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{study}.1.{n + 1}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
        dataset.PatientName, dataset.PatientID, dataset.AccessionNumber = "Test^Person", "P1", "CT1"
        dataset.ImagePositionPatient, dataset.InstanceNumber = [0, 0, 5 * n], n + 1
        made.append(folder / f"{n:03d}.dcm")
        dataset.save_as(made[-1])
    return made
