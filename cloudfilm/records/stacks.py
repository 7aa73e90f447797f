"""What the viewer needs of each stack of a revision, kept ready so that a page reads no manifest."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from .rows import insert_or_ignore, value_of
from .tables import stack, study


@dataclass(frozen=True, slots=True)
class Stack:
    """One scrollable stack. `head` and `frames`: JSON text (contracts.md 5); `keyframe`, `thumb`: base64 WebP; sizes in bytes."""

    hospital: str
    study_key: str
    revision: str
    position: int
    id: str
    content_id: str
    title: str
    modality: str
    count: int
    head: str
    frames: str
    keyframe: str
    thumb: str
    preview_key: str
    preview_size: int
    preview_sha256: str
    exact_key: str
    exact_size: int
    exact_sha256: str


@dataclass(frozen=True, slots=True)
class StackLine:
    """A stack in a list: without its heavy parts."""

    study_key: str
    position: int
    id: str
    title: str
    modality: str
    count: int


def put(c: Connection, given: Stack) -> None:
    insert_or_ignore(c, stack, {name: getattr(given, name) for name in Stack.__dataclass_fields__})


def _shown(hospital: str, visit_id: str) -> Any:
    """Only stacks of the revision that a visible study of this visit shows."""
    return (
        (stack.c.hospital == hospital)
        & (study.c.hospital == stack.c.hospital)
        & (study.c.study_key == stack.c.study_key)
        & (study.c.revision == stack.c.revision)
        & (study.c.state == "available")
        & (study.c.visit_id == visit_id)
    )


def of_visit(c: Connection, hospital: str, visit_id: str) -> list[StackLine]:
    """Stacks of the shown revisions of a visit's visible studies, in study and series order."""
    s = stack.c
    query = (
        select(s.study_key, s.position, s.id, s.title, s.modality, s.count)
        .where(_shown(hospital, visit_id))
        .order_by(study.c.study_date.desc(), s.study_key, s.position)
    )
    return [value_of(StackLine, row) for row in c.execute(query)]


def one_of_visit(c: Connection, hospital: str, visit_id: str, stack_id: str) -> Stack | None:
    """A stack by id, only if this visit shows it."""
    row = c.execute(select(stack).where(_shown(hospital, visit_id), stack.c.id == stack_id).limit(1)).first()
    return value_of(Stack, row) if row else None


def exact_of_visit(c: Connection, hospital: str, visit_id: str, content_id: str) -> Stack | None:
    """Any stack of the series with this content id (all share one exact object), only if this visit shows it."""
    query = select(stack).where(_shown(hospital, visit_id), stack.c.content_id == content_id)
    row = c.execute(query.order_by(stack.c.position).limit(1)).first()
    return value_of(Stack, row) if row else None
