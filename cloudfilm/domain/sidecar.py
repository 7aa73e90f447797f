"""A report's sidecar (schema cloudfilm-report-sidecar/1): what the RIS says beside, or instead of, the PDF."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = "cloudfilm-report-sidecar/1"


class SidecarWrong(ValueError):
    """The sidecar cannot be used; the text names the field."""


class Status(StrEnum):
    """How far a report is. Patients see final and later only (DOMAIN.md 2.2)."""

    DRAFT = "draft"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    RETRACTED = "retracted"

    @property
    def shown(self) -> bool:
        """Whether a patient may read it."""
        return self in (Status.FINAL, Status.AMENDED, Status.CORRECTED)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Words of one report version; times as ISO text, '' unknown; `pdf` a file name without folders, '' none."""

    accession_number: str
    patient_id: str
    patient_name: str
    visit_id: str
    study_instance_uid: str
    exam: str
    department: str
    findings: str
    impression: str
    reporting_doctor: str
    reviewing_doctor: str
    reported_at: str
    signed_at: str
    status: Status
    pdf: str

    def content(self, pdf_sha256: str) -> str:
        """Hash of what a reader sees: the same words and PDF again are no new version."""
        parts = (self.status.value, self.findings, self.impression, self.reporting_doctor, self.reviewing_doctor)
        return hashlib.sha256("\0".join((*parts, self.signed_at, pdf_sha256)).encode()).hexdigest()


def read(data: bytes) -> Sidecar:
    """The sidecar in `data`; raises SidecarWrong."""
    raw: Any = None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            raw = json.loads(data.decode(encoding))
            break
        except (UnicodeDecodeError, ValueError):
            continue
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise SidecarWrong(f"not a JSON object with schema {SCHEMA}")
    try:
        status = Status(str(raw.get("status", "")))
    except ValueError as error:
        raise SidecarWrong(f"status is none of {', '.join(Status)}") from error

    def text(name: str, longest: int = 200) -> str:
        value = raw.get(name) or ""
        if not isinstance(value, str) or len(value) > longest:
            raise SidecarWrong(f"{name} is not a text of at most {longest} characters")
        return value.strip()

    accession, study = text("accession", 64), text("study_instance_uid", 64)
    pdf = text("pdf")
    if not accession and not study:
        raise SidecarWrong("accession and study_instance_uid are both missing, so nobody knows whose report it is")
    if "/" in pdf or "\\" in pdf or pdf.startswith("."):
        raise SidecarWrong("pdf is not a plain file name")
    return Sidecar(
        accession_number=accession,
        patient_id=text("patient_id", 64),
        patient_name=text("patient_name"),
        visit_id=text("visit_id", 64),
        study_instance_uid=study,
        exam=text("exam"),
        department=text("department"),
        findings=text("findings", 20_000),
        impression=text("impression", 20_000),
        reporting_doctor=text("reporting_doctor"),
        reviewing_doctor=text("reviewing_doctor"),
        reported_at=text("reported_time", 40),
        signed_at=text("signed_time", 40),
        status=status,
        pdf=pdf,
    )
