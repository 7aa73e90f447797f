"""The ledger: append-only entries in fen. One live charge a visit and item, whatever is resent, revised or reprinted (BILLING.md 2)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, String, cast, func, select

from cloudfilm.domain.rates import RateCard

from .rows import insert_or_ignore, value_of
from .tables import imaging_order, ledger_entry, rate_card, study, visit


class Kind(StrEnum):
    """Kinds of entry and their sign: + - - - ±."""

    CHARGE = "charge"
    WAIVER = "waiver"
    REVERSAL = "reversal"
    DEDUCTION = "deduction"
    ADJUSTMENT = "adjustment"


class EntryRefused(Exception):
    """The entry would break an invariant; the text says which."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `amount_fen`: what the patient owes, signed; `settlement_fen`: what the hospital owes the provider, signed."""

    hospital: str
    id: str
    visit_id: str
    item: str
    kind: str
    number: int
    cause: str
    amount_fen: int
    settlement_fen: int
    service_date: date
    posted_at: datetime
    period: str
    rate_card: str
    reverses: str | None
    actor: str
    reason: str
    proof: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry beside what finance wants to see of its visit; `accession_numbers`, `exams`, `modalities` joined by '、'."""

    entry: Entry
    visit_type: str
    patient_id: str
    patient_name: str
    department: str
    accession_numbers: str
    exams: str
    modalities: str
    item_name: str
    price_note: str
    available_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Count of entries, of visits, and signed sums in fen."""

    entries: int
    visits: int
    amount_fen: int
    settlement_fen: int


def _identity(hospital: str, visit_id: str, item: str, cause: str) -> str:
    return hashlib.sha256("\0".join((hospital, visit_id, item, cause)).encode()).hexdigest()


def charge(
    c: Connection,
    *,
    hospital: str,
    visit_id: str,
    card: RateCard,
    cause: str,
    service_date: date,
    posted_at: datetime,
    period: str,
    proof: str,
    actor: str = "registrar",
) -> bool:
    """Charge a visit unless a live charge of this item stands; True when an entry was written.

    The unique index over (hospital, visit, item, number) decides when two transactions race.
    """
    e = ledger_entry.c
    mine = (e.hospital == hospital) & (e.visit_id == visit_id) & (e.item == card.item)
    charges = c.execute(select(e.id, e.number).where(mine, e.kind == Kind.CHARGE.value).order_by(e.number)).all()
    reversed_ids = set(c.execute(select(e.reverses).where(mine, e.kind == Kind.REVERSAL.value)).scalars())
    if any(row.id not in reversed_ids for row in charges):
        return False
    values = {
        "hospital": hospital,
        "id": _identity(hospital, visit_id, card.item, cause),
        "visit_id": visit_id,
        "item": card.item,
        "kind": Kind.CHARGE.value,
        "number": len(charges) + 1,
        "cause": cause,
        "amount_fen": card.patient_fen,
        "settlement_fen": card.settlement_fen,
        "service_date": service_date,
        "posted_at": posted_at,
        "period": period,
        "rate_card": card.version,
        "reverses": None,
        "actor": actor,
        "reason": "",
        "proof": proof,
    }
    return insert_or_ignore(c, ledger_entry, values)


def reverse(c: Connection, entry: Entry, *, cause: str, posted_at: datetime, period: str, actor: str, reason: str) -> None:
    """Answer an entry with its opposite, once; raises EntryRefused the second time."""
    values = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    values.update(
        id=_identity(entry.hospital, entry.visit_id, entry.item, cause),
        kind=Kind.REVERSAL.value,
        cause=cause,
        amount_fen=-entry.amount_fen,
        settlement_fen=-entry.settlement_fen,
        posted_at=posted_at,
        period=period,
        reverses=entry.id,
        actor=actor,
        reason=reason,
    )
    if entry.kind != Kind.CHARGE.value or not insert_or_ignore(c, ledger_entry, values):
        raise EntryRefused("This entry has been reversed already or is no charge; nothing was changed.")


def of_visit(c: Connection, hospital: str, visit_id: str) -> list[Entry]:
    """Entries of a visit in the order in which they were posted."""
    e = ledger_entry.c
    query = select(ledger_entry).where(e.hospital == hospital, e.visit_id == visit_id).order_by(e.posted_at, e.number, e.kind)
    return [value_of(Entry, row) for row in c.execute(query)]


def _between(hospital: str, first: date, last: date, kind: Kind | None) -> Any:
    e = ledger_entry.c
    found = (e.hospital == hospital) & (e.service_date >= first) & (e.service_date <= last)
    return found & (e.kind == kind.value) if kind else found


def totals(c: Connection, hospital: str, first: date, last: date, kind: Kind | None = None) -> Totals:
    """Sums over entries with a service date from `first` to `last`, both inclusive."""
    e = ledger_entry.c
    row = c.execute(
        select(
            func.count(),
            func.count(e.visit_id.distinct()),
            func.coalesce(func.sum(e.amount_fen), 0),
            func.coalesce(func.sum(e.settlement_fen), 0),
        ).where(_between(hospital, first, last, kind))
    ).one()
    return Totals(int(row[0]), int(row[1]), int(row[2]), int(row[3]))


def lines(
    c: Connection,
    hospital: str,
    first: date,
    last: date,
    *,
    kind: Kind | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Iterator[Line]:
    """Entries of a period with what finance sees beside them, in service-date order; streamed, paged in SQL."""
    e = ledger_entry.c
    query = _with_visit(_between(hospital, first, last, kind)).order_by(e.service_date, e.posted_at, e.id).offset(offset)
    if limit is not None:
        query = query.limit(limit)
    for part in c.execution_options(yield_per=500).execute(query).partitions(500):
        yield from _lines(c, hospital, list(part))


def _with_visit(found: Any) -> Select[Any]:
    e, v, r = ledger_entry.c, visit.c, rate_card.c
    joined = ledger_entry.join(visit, (v.hospital == e.hospital) & (v.id == e.visit_id)).outerjoin(
        rate_card, (r.hospital == e.hospital) & (r.item == e.item) & (r.item + "@" + _iso(r.valid_from) == e.rate_card)
    )
    return (
        select(
            ledger_entry,
            v.visit_type,
            v.patient_id,
            v.name.label("patient_name"),
            v.department,
            func.coalesce(r.name, "").label("item_name"),
            func.coalesce(r.note, "").label("price_note"),
        )
        .select_from(joined)
        .where(found)
    )


def _iso(column: Any) -> Any:
    """A date column as its ISO text on both databases."""
    return cast(column, String(10))


def _lines(c: Connection, hospital: str, rows: list[Any]) -> Iterator[Line]:
    ids = {row.visit_id for row in rows}
    exams: dict[str, list[Any]] = {}
    o, s = imaging_order.c, study.c
    for order in c.execute(select(imaging_order).where(o.hospital == hospital, o.visit_id.in_(ids)).order_by(o.accession_number)):
        exams.setdefault(order.visit_id, []).append((order.accession_number, order.exam_name, order.modality))
    available: dict[str, datetime] = {}
    for found in c.execute(
        select(s.visit_id, s.accession_number, s.description, s.modality, s.available_at).where(s.hospital == hospital, s.visit_id.in_(ids))
    ):
        if found.available_at:
            available[found.visit_id] = min(found.available_at, available.get(found.visit_id, found.available_at))
        if not any(number == found.accession_number for number, _, _ in exams.get(found.visit_id, [])):
            exams.setdefault(found.visit_id, []).append((found.accession_number, found.description, found.modality))
    for row in rows:
        mine = exams.get(row.visit_id, [])
        numbers, names, modalities = ("、".join(dict.fromkeys(part[i] for part in mine if part[i])) for i in range(3))
        yield Line(
            entry=value_of(Entry, row),
            visit_type=row.visit_type,
            patient_id=row.patient_id,
            patient_name=row.patient_name,
            department=row.department,
            accession_numbers=numbers,
            exams=names,
            modalities=modalities,
            item_name=row.item_name,
            price_note=row.price_note,
            available_at=available.get(row.visit_id),
        )
