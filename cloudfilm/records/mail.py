"""Letters that were opened: applied once, or held for a person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from .rows import insert_or_ignore, value_of
from .tables import letter


@dataclass(frozen=True, slots=True)
class Opened:
    """One opened letter. `state`: applied or held; `reason` says why it is held."""

    hospital: str
    id: str
    kind: str
    at: datetime
    applied_at: datetime
    state: str
    reason: str


def note(c: Connection, opened: Opened) -> bool:
    """Keep that a letter was opened; False when it was before."""
    return insert_or_ignore(c, letter, {name: getattr(opened, name) for name in Opened.__dataclass_fields__})


def known(c: Connection, hospital: str, letter_id: str) -> bool:
    return c.execute(select(letter.c.id).where(letter.c.hospital == hospital, letter.c.id == letter_id)).first() is not None


def held(c: Connection, hospital: str) -> list[Opened]:
    """Letters that wait for a person, oldest first."""
    query = select(letter).where(letter.c.hospital == hospital, letter.c.state == "held").order_by(letter.c.applied_at)
    return [value_of(Opened, row) for row in c.execute(query)]
