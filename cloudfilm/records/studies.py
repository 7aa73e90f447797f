"""Studies and their published revisions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Table, case, func, select, update

from .rows import insert_or_ignore, value_of
from .tables import revision, study


class State(StrEnum):
    """Where a study stands on the cloud side."""

    ARRIVING = "arriving"
    AVAILABLE = "available"
    HELD = "held"  # identity contradicts the order: nobody sees it until a person has checked
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Study:
    """One study. `received` of `expected` (None: unknown) while it arrives; `revision` None until published; sizes in bytes."""

    hospital: str
    study_key: str
    visit_id: str | None
    accession_number: str
    study_instance_uid: str
    patient_id: str
    patient_name: str
    description: str
    modality: str
    study_date: str
    state: str
    held_reason: str
    received: int
    expected: int | None
    revision: str | None
    instances: int
    bytes: int
    series: int
    not_shown: int
    told_at: datetime
    available_at: datetime | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One published state of a study."""

    hospital: str
    study_key: str
    revision: str
    manifest: str
    instances: int
    bytes: int
    published_at: datetime
    letter_id: str


def _same(table: Table, hospital: str, study_key: str) -> Any:
    return (table.c.hospital == hospital) & (table.c.study_key == study_key)


def get(c: Connection, hospital: str, study_key: str) -> Study | None:
    row = c.execute(select(study).where(_same(study, hospital, study_key))).first()
    return value_of(Study, row) if row else None


def by_uid(c: Connection, hospital: str, study_instance_uid: str) -> Study | None:
    row = c.execute(select(study).where(study.c.hospital == hospital, study.c.study_instance_uid == study_instance_uid)).first()
    return value_of(Study, row) if row else None


def by_accession(c: Connection, hospital: str, accession_number: str) -> list[Study]:
    query = select(study).where(study.c.hospital == hospital, study.c.accession_number == accession_number)
    return [value_of(Study, row) for row in c.execute(query.order_by(study.c.study_key))]


def of_visit(c: Connection, hospital: str, visit_id: str) -> list[Study]:
    """Studies of a visit, newest first; held and withdrawn ones too (the caller's page says so)."""
    query = select(study).where(study.c.hospital == hospital, study.c.visit_id == visit_id)
    return [value_of(Study, row) for row in c.execute(query.order_by(study.c.study_date.desc(), study.c.study_key))]


def everything(c: Connection, hospital: str) -> list[Study]:
    """All studies of a hospital that have a revision, oldest first."""
    query = select(study).where(study.c.hospital == hospital, study.c.revision.is_not(None)).order_by(study.c.available_at)
    return [value_of(Study, row) for row in c.execute(query)]


def arriving(c: Connection, values: dict[str, Any]) -> None:
    """Note how far a study has come (a row of `study` without revision). A published study is not set back."""
    if insert_or_ignore(c, study, {**values, "state": State.ARRIVING.value}):
        return
    s = study.c
    query = update(study).where(_same(study, values["hospital"], values["study_key"]), s.told_at < values["told_at"])
    c.execute(
        query.values(
            received=case((s.received < values["received"], values["received"]), else_=s.received),
            expected=values["expected"],
            told_at=values["told_at"],
        )
    )


def publish(c: Connection, values: dict[str, Any], entry: Revision) -> bool:
    """Enter a revision and let the study show it, if it is the newest; True when this revision was not known."""
    insert_or_ignore(c, study, {**values, "state": State.ARRIVING.value})
    new = insert_or_ignore(c, revision, {n: getattr(entry, n) for n in Revision.__dataclass_fields__})
    first = select(func.min(revision.c.published_at, type_=revision.c.published_at.type)).where(
        _same(revision, entry.hospital, entry.study_key)
    )
    c.execute(update(study).where(_same(study, entry.hospital, entry.study_key)).values(available_at=c.execute(first).scalar_one()))
    newest = c.execute(
        select(revision.c.revision)
        .where(_same(revision, entry.hospital, entry.study_key))
        .order_by(revision.c.published_at.desc(), revision.c.instances.desc(), revision.c.revision)
        .limit(1)
    ).scalar_one()
    if newest != entry.revision:
        return new
    s = study.c
    c.execute(
        update(study)
        .where(_same(study, entry.hospital, entry.study_key))
        .values(
            **{k: v for k, v in values.items() if k not in ("visit_id", "hospital", "study_key")},
            revision=entry.revision,
            state=case((s.state == State.ARRIVING.value, State.AVAILABLE.value), else_=s.state),
        )
    )
    return new


def attach(c: Connection, hospital: str, study_key: str, visit_id: str) -> None:
    """Tie a study to its visit."""
    c.execute(update(study).where(_same(study, hospital, study_key)).values(visit_id=visit_id))


def hold(c: Connection, hospital: str, study_key: str, reason: str) -> None:
    """Nobody may see it until a person has checked (SECURITY.md 4)."""
    c.execute(update(study).where(_same(study, hospital, study_key)).values(state=State.HELD.value, held_reason=reason))


def revision_of(c: Connection, hospital: str, study_key: str, revision_id: str) -> Revision | None:
    row = c.execute(select(revision).where(_same(revision, hospital, study_key), revision.c.revision == revision_id)).first()
    return value_of(Revision, row) if row else None


def last_published(c: Connection, hospital: str, study_key: str) -> datetime | None:
    """When the newest revision was published; None: none yet."""
    at = revision.c.published_at
    return c.execute(select(func.max(at, type_=at.type)).where(_same(revision, hospital, study_key))).scalar_one()


def revisions(c: Connection, hospital: str) -> list[Revision]:
    """Every published revision of a hospital, oldest first: what `archive verify` re-reads."""
    query = select(revision).where(revision.c.hospital == hospital).order_by(revision.c.published_at, revision.c.revision)
    return [value_of(Revision, row) for row in c.execute(query)]
