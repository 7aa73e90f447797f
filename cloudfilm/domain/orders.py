"""An order with its visit as the HIS hands it over (schema cloudfilm-order/1), read with care."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SCHEMA = "cloudfilm-order/1"


class OrderWrong(ValueError):
    """The order cannot be used; the text names the field."""


@dataclass(frozen=True, slots=True)
class Order:
    """One imaging order of one visit. Times are aware; '' where the HIS said nothing. Digits of phone and ID stay at the hospital."""

    visit_id: str
    visit_type: str
    patient_id: str
    name: str
    sex: str
    birth_date: str  # ISO or ''
    phone: str
    id_card_last6: str
    id_card_last4: str
    accession_number: str
    order_id: str
    exam_code: str
    exam_name: str
    body_part: str
    modality: str
    department: str
    doctor: str
    ordered_at: datetime
    receipt_no: str
    expected_instances: int | None

    @property
    def key(self) -> tuple[str, str]:
        return self.visit_id, self.accession_number


def read(data: bytes) -> Order:
    """The order in `data` (UTF-8 or GB18030 JSON); raises OrderWrong with the field that is missing or false."""
    raw = _json(data)
    if raw.get("schema") != SCHEMA:
        raise OrderWrong(f"schema is not {SCHEMA}")
    exam = raw.get("ordered_exam") or {}
    if not isinstance(exam, dict):
        raise OrderWrong("ordered_exam is not an object")
    when = _text(raw, "ordered_time", 40, needed=True)
    try:
        ordered_at = datetime.fromisoformat(when)
    except ValueError as error:
        raise OrderWrong("ordered_time is not a time such as 2026-11-20T08:31:10+08:00") from error
    if ordered_at.tzinfo is None:
        raise OrderWrong("ordered_time has no zone; write it as 2026-11-20T08:31:10+08:00")
    expected = raw.get("expected_instances")
    if expected is not None and (not isinstance(expected, int) or not 0 < expected < 1_000_000):
        raise OrderWrong("expected_instances is not a number of images")
    birth = _text(raw, "birth_date", 10)
    if birth and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", birth):
        raise OrderWrong("birth_date is not a date such as 1963-05-14")
    return Order(
        visit_id=_text(raw, "visit_id", 64, needed=True),
        visit_type=_text(raw, "visit_type", 16),
        patient_id=_text(raw, "patient_id", 64, needed=True),
        name=_text(raw, "name", 200, needed=True),
        sex=_text(raw, "sex", 8),
        birth_date=birth,
        phone=re.sub(r"\D", "", _text(raw, "phone", 32)),
        id_card_last6=_text(raw, "id_card_last6", 6),
        id_card_last4=_text(raw, "id_card_last4", 4),
        accession_number=_text(raw, "accession", 64, needed=True),
        order_id=_text(raw, "order_id", 64),
        exam_code=_text(exam, "code", 64),
        exam_name=_text(exam, "name", 200),
        body_part=_text(exam, "body_part", 64),
        modality=_text(exam, "modality", 16),
        department=_text(raw, "ordering_department", 100),
        doctor=_text(raw, "ordering_doctor", 100),
        ordered_at=ordered_at,
        receipt_no=_text(raw, "receipt_no", 64),
        expected_instances=expected,
    )


def _json(data: bytes) -> dict[str, Any]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            value = json.loads(data.decode(encoding))
        except (UnicodeDecodeError, ValueError):
            continue
        if isinstance(value, dict):
            return value
    raise OrderWrong("not a JSON object in UTF-8 or GB18030")


def _text(raw: dict[str, Any], name: str, longest: int, *, needed: bool = False) -> str:
    value = raw.get(name, "")
    value = str(value).strip() if isinstance(value, str | int) else None if value is not None else ""
    if value is None or len(value) > longest:
        raise OrderWrong(f"{name} is not a text of at most {longest} characters")
    if needed and not value:
        raise OrderWrong(f"{name} is missing")
    return value


def age_on(birth_date: str, day: str) -> str:
    """Age on an ISO day as DICOM writes it (VR AS): 063Y, 007M under two years, 012D under one month; '' unknown."""
    if not birth_date:
        return ""
    year, month, dom = (int(part) for part in birth_date.split("-"))
    y, m, d = (int(part) for part in day[:10].split("-"))
    months = (y - year) * 12 + m - month - (d < dom)
    if months >= 24:
        return f"{months // 12:03d}Y"
    if months >= 1:
        return f"{months:03d}M"
    days = (datetime(y, m, d) - datetime(year, month, dom)).days  # noqa: DTZ001  calendar days, no zone meant
    return f"{days:03d}D" if days >= 0 else ""
