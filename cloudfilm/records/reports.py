"""Report versions: every one is kept, none is overwritten."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from .rows import insert_or_ignore
from .tables import report


@dataclass(frozen=True, slots=True)
class Report:
    """One version. `subject`: accession number, or uid:<Study Instance UID>; `pages`: [{key, width, height}] of page pictures."""

    hospital: str
    subject: str
    version: int
    content: str
    visit_id: str | None
    status: str
    source: str
    exam: str
    department: str
    findings: str
    impression: str
    words: str
    reporting_doctor: str
    reviewing_doctor: str
    reported_at: datetime | None
    signed_at: datetime | None
    pdf_key: str | None
    pdf_size: int | None
    pages: list[dict[str, Any]]


def _report(row: Any) -> Report:
    m = row._mapping
    return Report(**{n: json.loads(m[n]) if n == "pages" else m[n] for n in Report.__dataclass_fields__})


def put(c: Connection, given: Report, told_at: datetime) -> bool:
    """Enter a version (numbered in the order of its times); False when the same content is known already."""
    r = report.c
    same = (r.hospital == given.hospital) & (r.subject == given.subject)
    if c.execute(select(r.version).where(same, r.content == given.content)).first():
        return False
    last = c.execute(select(func.coalesce(func.max(r.version), 0)).where(same)).scalar_one()
    values = {n: getattr(given, n) for n in Report.__dataclass_fields__}
    values.update(version=last + 1, pages=json.dumps(given.pages), told_at=told_at)
    return insert_or_ignore(c, report, values)


def attach(c: Connection, hospital: str, subject: str, visit_id: str) -> None:
    """Tie the versions about a subject to its visit."""
    r = report.c
    c.execute(update(report).where(r.hospital == hospital, r.subject == subject).values(visit_id=visit_id))


def waiting(c: Connection, hospital: str, subject: str) -> bool:
    """Whether a report about this subject came before its visit."""
    r = report.c
    return (
        c.execute(select(r.version).where(r.hospital == hospital, r.subject == subject, r.visit_id.is_(None)).limit(1)).first() is not None
    )


def of_visit(c: Connection, hospital: str, visit_id: str) -> list[Report]:
    """All versions about a visit, newest first: by the time they were signed (or told), then by number."""
    r = report.c
    query = select(report).where(r.hospital == hospital, r.visit_id == visit_id)
    order = (r.subject, func.coalesce(r.signed_at, r.told_at, type_=r.told_at.type).desc(), r.version.desc())
    return [_report(row) for row in c.execute(query.order_by(*order))]


def with_page(c: Connection, hospital: str, visit_id: str, key: str) -> Report | None:
    """The version of this visit whose PDF or page picture is `key`."""
    r = report.c
    like = "%" + json.dumps(key)[1:-1].replace("%", r"\%").replace("_", r"\_") + "%"
    query = select(report).where(r.hospital == hospital, r.visit_id == visit_id, or_(r.pdf_key == key, r.pages.like(like, escape="\\")))
    row = c.execute(query.limit(1)).first()
    return _report(row) if row else None
