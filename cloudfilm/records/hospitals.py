"""The hospitals of this installation."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from .rows import insert_or_ignore, value_of
from .tables import hospital


@dataclass(frozen=True, slots=True)
class Hospital:
    """What pages and slips say of it."""

    id: str
    name: str
    phone: str
    timezone: str


def put(c: Connection, given: Hospital) -> None:
    """Enter or correct a hospital."""
    values = {"id": given.id, "name": given.name, "phone": given.phone, "timezone": given.timezone}
    if not insert_or_ignore(c, hospital, values):
        c.execute(update(hospital).where(hospital.c.id == given.id).values(**values))


def get(c: Connection, hospital_id: str) -> Hospital | None:
    row = c.execute(select(hospital).where(hospital.c.id == hospital_id)).first()
    return value_of(Hospital, row) if row else None
