"""The commands on a running installation, small (SQLite, a folder) and grown up (PostgreSQL, S3): the same words, the same ends."""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.installation import ROOT, Up, up
from tests.servers import S3Server, fresh_database

ORDER = {
    "schema": "cloudfilm-order/1",
    "visit_id": "MZ7",
    "visit_type": "门诊",
    "patient_id": "P7",
    "name": "沈若兰",
    "sex": "F",
    "birth_date": "1958-02-03",
    "phone": "13900000526",
    "accession": "CT7",
    "ordered_exam": {"name": "胸部CT平扫", "modality": "CT"},
    "ordered_time": "2026-11-20T08:31:10+08:00",
}
REPORT = {
    "schema": "cloudfilm-report-sidecar/1",
    "accession": "CT7",
    "patient_id": "P7",
    "patient_name": "沈若兰",
    "status": "final",
    "findings": "未见异常。",
    "impression": "1. 未见异常。",
    "signed_time": "2026-11-20T10:58:12+08:00",
}


@dataclass
class Site:
    """A running installation and the commands a person types beside it."""

    running: Up
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cloudfilm", *words], env=self.running.environment, cwd=ROOT, capture_output=True, text=True, timeout=120
        )

    def ok(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str) -> str:
        """One sentence on stderr, nothing on stdout, a non-zero exit."""
        done = self.run(*words)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr.strip()


@pytest.fixture(scope="module", params=["small", "grown up"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    more: dict[str, str] = {}
    if request.param == "grown up":
        server: S3Server = request.getfixturevalue("s3_server")
        bucket = f"s3://{server.bucket}/commands-{os.getpid()}"
        url = fresh_database(request.getfixturevalue("postgresql_server"))
        more = {"CLOUDFILM_DATABASE": url, "CLOUDFILM_ARCHIVE": bucket, "CLOUDFILM_S3_ENDPOINT": server.endpoint, **server.environment()}
    with up(home / "var", more) as running:
        yield Site(running, home)


@pytest.fixture(scope="module")
def entered(site: Site) -> dict[str, object]:
    """An order, two slices and a report, by the commands."""
    order = site.folder / "order.json"
    order.write_text(json.dumps(ORDER, ensure_ascii=False), encoding="utf-8")
    report = site.folder / "report.json"
    report.write_text(json.dumps(REPORT, ensure_ascii=False), encoding="utf-8")
    (site.folder / "dicom").mkdir()
    for n in range(2):
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.7.{n}"
        dataset.SpecificCharacterSet, dataset.PatientName, dataset.PatientID = "GB18030", "沈若兰", "P7"
        dataset.AccessionNumber, dataset.StudyDate, dataset.InstanceNumber = "CT7", "20261120", n + 1
        dataset.ImagePositionPatient = [0, 0, n * 5]
        dataset.save_as(site.folder / "dicom" / f"{n}.dcm")
    told: dict[str, object] = {"order": json.loads(site.ok("order", "add", str(order), "--json"))}
    lines = site.ok("ingest", "--json", str(site.folder / "dicom"), str(report)).splitlines()
    told["study"] = next(json.loads(line) for line in lines if "study_instance_uid" in line)
    return told


def test_an_order_gets_its_link_before_any_image(entered: dict[str, object], site: Site) -> None:
    order = entered["order"]
    assert isinstance(order, dict)
    assert order["url"].startswith(f"{site.running.url}/v/")


def test_ingest_returns_when_registered_and_says_what(entered: dict[str, object]) -> None:
    study = entered["study"]
    assert isinstance(study, dict)
    assert set(study) == {"study_instance_uid", "accession_number", "revision", "instances", "bytes", "seconds"}
    assert (study["accession_number"], study["instances"]) == ("CT7", 2)
    assert len(study["revision"]) == 64


def test_the_same_files_again_change_nothing(entered: dict[str, object], site: Site) -> None:
    study = entered["study"]
    assert isinstance(study, dict)
    again = json.loads(site.ok("ingest", "--json", str(site.folder / "dicom")))
    assert (again["revision"], again["instances"]) == (study["revision"], 2)


def test_a_link_is_told_again_listed_and_revoked(entered: dict[str, object], site: Site) -> None:
    order = entered["order"]
    assert isinstance(order, dict)
    told = json.loads(site.ok("link", "issue", "--visit", "MZ7", "--json"))
    assert (told["url"], told["challenge"]) == (order["url"], "phone4")
    assert json.loads(site.ok("link", "issue", "--accession", "CT7", "--json"))["id"] == told["id"]
    listed = site.ok("link", "list")
    assert told["id"] in listed
    assert told["url"].rpartition("/")[2] not in listed
    site.ok("link", "revoke", told["id"])
    assert "no such link in force" in site.refused("link", "revoke", told["id"])
    assert json.loads(site.ok("link", "issue", "--visit", "MZ7", "--json"))["id"] != told["id"]


def test_every_original_comes_back_bit_for_bit(entered: dict[str, object], site: Site, tmp_path: Path) -> None:
    site.ok("restore", "CT7", "--to", str(tmp_path / "back"))
    back = sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / "back").rglob("IM*"))
    sent = sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in (site.folder / "dicom").iterdir())
    assert back == sent


def test_archive_and_journal_are_whole(entered: dict[str, object], site: Site) -> None:
    assert "all are as they were stored" in site.ok("archive", "verify")
    assert site.ok("journal", "verify").startswith("ok:")


def test_finance_exports_the_one_charge(entered: dict[str, object], site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    site.ok("finance", "export", "--from", "2026-11-01", "--to", "2026-11-30", "--format", "csv", "--out", str(out))
    rows = list(csv.reader(io.StringIO(out.read_text("utf-8-sig"))))
    assert len(rows) == 3
    assert "10.00" in rows[1]
    assert rows[2][1] == "1 条"


def test_staff_get_a_first_password_once(site: Site) -> None:
    told = json.loads(site.ok("staff", "add", "3021", "--role", "desk", "--json"))
    assert len(told["password"]) >= 16
    assert "already" in site.refused("staff", "add", "3021", "--role", "desk")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("link", "issue", "--visit", "nowhere"), "no such visit"),
        (("link", "issue"), "exactly one"),
        (("restore", "nowhere", "--to", "/tmp/nowhere"), "no such study"),
        (("ingest", "/nowhere"), "does not exist"),
        (("finance", "export", "--from", "2026-13-01", "--to", "2026-01-01", "--format", "csv", "--out", "x"), "2026-13-01"),
    ],
)
def test_what_is_wrong_is_one_sentence(site: Site, words: tuple[str, ...], said: str) -> None:
    assert said in site.refused(*words)


def test_what_cannot_be_used_is_kept_and_said(site: Site) -> None:
    bad = site.folder / "bad.dcm"
    bad.write_bytes(b"this is no DICOM file")
    assert "kept in" in site.refused("ingest", str(bad), "--no-wait")


def test_a_wrong_setting_names_its_variable() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloudfilm", "link", "list"],
        env={**os.environ, "CLOUDFILM_PORT": "many"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "CLOUDFILM_PORT" in done.stderr, done.stdout) == (1, True, "")
