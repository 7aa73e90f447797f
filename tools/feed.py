"""The hospital's side of the demo: what HIS, scanner and RIS would send, through the same entrances."""

import contextlib
import io
import json
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cloudfilm.archive import layout
from cloudfilm.cli import group
from cloudfilm.cli.site import Refused, refusals
from cloudfilm.gateway import status
from cloudfilm.keys import Keys
from cloudfilm.records import reports, studies, visits
from cloudfilm.records.database import Database
from cloudfilm.settings import Settings

from .place import CannotRun
from .source import Study

SCANNER_AET = "CT1"


def command(*words: str) -> dict[str, Any]:
    """Run a `cloudfilm` command that answers with one JSON object. Raises CannotRun with its sentence."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            group(list(words), standalone_mode=False)
    except (click.ClickException, Refused, *refusals()) as error:
        raise CannotRun(f"`cloudfilm {words[0]} {words[1]}` says: {error}") from error
    answer = json.loads(said.getvalue().splitlines()[-1])
    assert isinstance(answer, dict)
    return answer


def receives(settings: Settings) -> bool:
    """Whether the DICOM receiver is open."""
    try:
        with socket.create_connection((settings.dicom_host, settings.dicom_port), timeout=2):
            return True
    except OSError:
        return False


def send(settings: Settings, files: Iterable[Path], acknowledged: Callable[[], object]) -> None:
    """C-STORE the files over one association, as a scanner does; `acknowledged` is called at each success."""
    # Here, not above: a start that has nothing to send need not load them.
    import pydicom
    from pynetdicom import AE, _config

    _config.LOG_HANDLER_LEVEL = "none"  # its log handlers would write every message
    opened = [(path, pydicom.dcmread(path)) for path in files]
    ae = AE(ae_title=SCANNER_AET)
    ae.maximum_pdu_size = 131_072
    for sop_class, syntax in sorted({(d.SOPClassUID, d.file_meta.TransferSyntaxUID) for _, d in opened}):
        ae.add_requested_context(sop_class, syntax)
    link = ae.associate(settings.dicom_host, settings.dicom_port, ae_title=settings.aet)
    if not link.is_established:
        raise CannotRun(f"The DICOM receiver {settings.aet} at port {settings.dicom_port} took no association.")
    try:
        for path, dataset in opened:
            answer = link.send_c_store(dataset)
            if "Status" not in answer or answer.Status != 0:
                raise CannotRun(f"The gateway did not take {path.name}; see $CLOUDFILM_HOME/logs/gateway.log.")
            acknowledged()
    finally:
        link.release()


def drop_report(watch: Path, study: Study) -> None:
    """Lay report and sidecar into the watched folder, as a RIS does over a share: under another name until they are whole."""
    folder = watch / str(study.report["accession"])
    folder.mkdir(parents=True, exist_ok=True)
    for name in (study.report.get("pdf") or "", "report.json"):
        if name:
            part = folder / f"{name}.part"
            shutil.copyfile(study.folder / name, part)
            part.rename(folder / name)


@dataclass(frozen=True, slots=True)
class Registered:
    """What the records know of the demo's study."""

    order: bool
    instances: int  # of the published revision; 0: none yet
    report: bool


@dataclass(frozen=True, slots=True)
class Watcher:
    """Looks how far the study has come: at the gateway and in the records."""

    settings: Settings
    keys: Keys
    database: Database
    study: Study

    def built(self) -> int:
        """How many instances the gateway has encoded and published."""
        key = layout.study_key(self.keys.study, self.study.study_instance_uid)
        told = status.read(self.settings.home).get("studies", {}).get(key, {})
        return int(told.get("built") or 0)

    def registered(self) -> Registered:
        hospital, order = self.settings.hospital, self.study.order
        with self.database.read() as c:
            ordered = visits.order_of_accession(c, hospital, order["accession"]) is not None
            found = studies.by_uid(c, hospital, self.study.study_instance_uid)
            written = bool(reports.of_visit(c, hospital, order["visit_id"]))
        return Registered(ordered, found.instances if found and found.revision else 0, written)


def wait_for(what: str, ready: Callable[[], bool], alive: Callable[[], None], seconds_max: float) -> None:
    """Look until `ready`; `alive` raises when there is nothing left to wait for. Raises CannotRun after `seconds_max`."""
    end = time.monotonic() + seconds_max
    while not ready():
        alive()
        if time.monotonic() > end:
            raise CannotRun(f"{what} took longer than {seconds_max:g} s; see $CLOUDFILM_HOME/logs/.")
        time.sleep(0.25)
