"""Visits with the patient as the HIS told them, and the imaging orders that hang on them."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from cloudfilm.domain.person import search_key

from .rows import insert_or_ignore, value_of
from .tables import imaging_order, study, visit


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit (就诊). `proofs`: challenge kind -> keyed hash of the answer; `age`: DICOM VR AS; `derived`: made from a study."""

    hospital: str
    id: str
    visit_type: str
    patient_id: str
    name: str
    sex: str
    age: str
    department: str
    receipt_no: str
    visit_date: date
    proofs: dict[str, str]
    phone_masked: str
    derived: bool


@dataclass(frozen=True, slots=True)
class ImagingOrder:
    """One imaging order (检查申请) of a visit."""

    hospital: str
    accession_number: str
    visit_id: str
    order_id: str
    exam_code: str
    exam_name: str
    modality: str
    body_part: str
    department: str
    doctor: str
    ordered_at: datetime | None
    expected_instances: int | None
    cancelled_at: datetime | None


def _visit(row: Any) -> Visit:
    m = row._mapping
    names = ("hospital", "id", "visit_type", "patient_id", "name", "sex", "age", "department", "receipt_no", "visit_date")
    return Visit(**{n: m[n] for n in names}, proofs=json.loads(m["proofs"]), phone_masked=m["phone_masked"], derived=bool(m["derived"]))


def put(c: Connection, given: Visit, told_at: datetime) -> None:
    """Enter a visit or bring it up to date. An older telling changes nothing; an order's telling replaces a derived visit."""
    values = {
        "hospital": given.hospital,
        "id": given.id,
        "visit_type": given.visit_type,
        "patient_id": given.patient_id,
        "name": given.name,
        "name_key": search_key(given.name),
        "sex": given.sex,
        "age": given.age,
        "department": given.department,
        "receipt_no": given.receipt_no,
        "visit_date": given.visit_date,
        "proofs": json.dumps(given.proofs, sort_keys=True),
        "phone_masked": given.phone_masked,
        "derived": given.derived,
        "told_at": told_at,
    }
    if insert_or_ignore(c, visit, values):
        return
    same = (visit.c.hospital == given.hospital) & (visit.c.id == given.id)
    newer = (visit.c.told_at < told_at) if given.derived else or_(visit.c.told_at < told_at, visit.c.derived)
    if given.derived:
        newer = newer & visit.c.derived
    c.execute(update(visit).where(same & newer).values(**values))


def get(c: Connection, hospital: str, visit_id: str) -> Visit | None:
    row = c.execute(select(visit).where(visit.c.hospital == hospital, visit.c.id == visit_id)).first()
    return _visit(row) if row else None


def put_order(c: Connection, given: ImagingOrder, told_at: datetime) -> None:
    """Enter an order or bring it up to date; an older telling changes nothing, a cancellation stays."""
    values = {name: getattr(given, name) for name in ImagingOrder.__dataclass_fields__ if name != "cancelled_at"}
    values["told_at"] = told_at
    if insert_or_ignore(c, imaging_order, values):
        return
    o = imaging_order.c
    same = (o.hospital == given.hospital) & (o.accession_number == given.accession_number) & (o.told_at < told_at)
    c.execute(update(imaging_order).where(same).values(**values))


def cancel_order(c: Connection, hospital: str, accession_number: str, at: datetime) -> bool:
    """Mark an order cancelled; False when it is not known (yet)."""
    o = imaging_order.c
    same = (o.hospital == hospital) & (o.accession_number == accession_number)
    return c.execute(update(imaging_order).where(same).values(cancelled_at=at)).rowcount == 1


def order_of_accession(c: Connection, hospital: str, accession_number: str) -> ImagingOrder | None:
    o = imaging_order.c
    row = c.execute(select(imaging_order).where(o.hospital == hospital, o.accession_number == accession_number)).first()
    return value_of(ImagingOrder, row) if row else None


def orders_of_visit(c: Connection, hospital: str, visit_id: str) -> list[ImagingOrder]:
    o = imaging_order.c
    query = select(imaging_order).where(o.hospital == hospital, o.visit_id == visit_id).order_by(o.ordered_at, o.accession_number)
    return [value_of(ImagingOrder, row) for row in c.execute(query)]


def search(c: Connection, hospital: str, text: str, limit: int = 50) -> list[Visit]:
    """Visits whose name begins with `text`, or whose patient id, visit id, receipt or accession number is `text`; newest first."""
    text = text.strip()
    key = search_key(text).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    if not key:
        return []
    v = visit.c
    by_order = select(imaging_order.c.visit_id).where(imaging_order.c.hospital == hospital, imaging_order.c.accession_number == text)
    by_study = select(study.c.visit_id).where(study.c.hospital == hospital, study.c.accession_number == text, study.c.visit_id.is_not(None))
    query = (
        select(visit)
        .where(
            v.hospital == hospital,
            or_(
                v.name_key.like(f"{key}%", escape="\\"),
                v.patient_id == text,
                v.id == text,
                v.receipt_no == text,
                v.id.in_(by_order),
                v.id.in_(by_study),
            ),
        )
        .order_by(v.visit_date.desc(), v.id.desc())
        .limit(limit)
    )
    return [_visit(row) for row in c.execute(query)]


def recent(c: Connection, hospital: str, limit: int = 20) -> list[Visit]:
    """The newest visits: what the desk sees before it searches."""
    query = select(visit).where(visit.c.hospital == hospital).order_by(visit.c.told_at.desc()).limit(limit)
    return [_visit(row) for row in c.execute(query)]


def count_ordered(c: Connection, hospital: str, first: date, last: date) -> int:
    """Visits with an order that stands, by visit date: what finance compares with the films that were provided."""
    v, o = visit.c, imaging_order.c
    ordered = select(o.visit_id).where(o.hospital == hospital, o.cancelled_at.is_(None))
    days = (v.visit_date >= first) & (v.visit_date <= last)
    return int(c.execute(select(func.count()).select_from(visit).where(v.hospital == hospital, days, v.id.in_(ordered))).scalar_one())
