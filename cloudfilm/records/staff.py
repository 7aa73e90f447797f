"""Staff and their passwords (argon2id, 19 MiB, t=2, p=1: one worker must not lose a core to a login)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from . import sessions
from .rows import value_of
from .tables import staff

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _HASHER.hash("nobody has this password")
TRIES = 5
PAUSE = timedelta(minutes=15)
SHORTEST = 10


class Role(StrEnum):
    """What a member of staff may do; system, security and audit powers never in one."""

    DESK = "desk"
    DOCTOR = "doctor"
    FINANCE = "finance"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    ADMIN = "admin"


class StaffRefused(Exception):
    """A member of staff cannot be added or changed so; the text says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of staff."""

    hospital: str
    id: str
    name: str
    role: str
    must_change: bool
    failures: int
    locked_until: datetime | None
    disabled_at: datetime | None

    @property
    def tries_left(self) -> int:
        return max(0, TRIES - self.failures)


def _check(password: str) -> None:
    if len(password) < SHORTEST:
        raise StaffRefused(f"The password has fewer than {SHORTEST} characters; choose a longer one.")


def add(c: Connection, *, hospital: str, staff_id: str, name: str, role: Role, password: str, must_change: bool, now: datetime) -> None:
    """A new member of staff; raises StaffRefused when the id is taken or the password short."""
    _check(password)
    row = {"hospital": hospital, "id": staff_id, "name": name, "role": role.value, "must_change": must_change, "created_at": now}
    try:
        with c.begin_nested():
            c.execute(insert(staff).values(**row, password_hash=_HASHER.hash(password)))
    except IntegrityError as error:
        raise StaffRefused(f"There is a member of staff {staff_id!r} already; nothing was changed.") from error


def get(c: Connection, hospital: str, staff_id: str) -> Member | None:
    row = c.execute(select(staff).where(staff.c.hospital == hospital, staff.c.id == staff_id)).first()
    return value_of(Member, row) if row else None


def log_in(c: Connection, hospital: str, staff_id: str, password: str, now: datetime) -> Member | None:
    """The member whose password this is; None otherwise, after the same work. Five wrong ones pause the account for 15 minutes."""
    row = c.execute(select(staff).where(staff.c.hospital == hospital, staff.c.id == staff_id).with_for_update()).first()
    usable = row is not None and row.disabled_at is None and (row.locked_until is None or row.locked_until <= now)
    try:
        _HASHER.verify(row.password_hash if row is not None and usable else _NOBODY, password)
        right = usable
    except VerificationError:
        right = False
    if row is None or not usable:
        return None
    same = (staff.c.hospital == hospital) & (staff.c.id == staff_id)
    if right:
        c.execute(update(staff).where(same).values(failures=0, locked_until=None))
        return value_of(Member, row)
    failures = row.failures + 1
    pause = {"failures": 0, "locked_until": now + PAUSE} if failures >= TRIES else {"failures": failures}
    c.execute(update(staff).where(same).values(**pause))
    return None


def change_password(c: Connection, hospital: str, staff_id: str, password: str, now: datetime) -> None:
    """A new password of the member's own; ends all their sessions. Raises StaffRefused when it is short or the same again."""
    _check(password)
    same = (staff.c.hospital == hospital) & (staff.c.id == staff_id)
    old = c.execute(select(staff.c.password_hash).where(same)).scalar_one()
    try:
        _HASHER.verify(old, password)
    except VerificationError:
        pass
    else:
        raise StaffRefused("This is the old password; choose another one.")
    c.execute(update(staff).where(same).values(password_hash=_HASHER.hash(password), must_change=False))
    sessions.end_of_staff(c, hospital, staff_id, now)


def set_password(c: Connection, hospital: str, staff_id: str, password: str, *, must_change: bool, now: datetime) -> None:
    """An administrator's reset; ends all sessions of the member."""
    _check(password)
    same = (staff.c.hospital == hospital) & (staff.c.id == staff_id)
    values = {"password_hash": _HASHER.hash(password), "must_change": must_change, "failures": 0, "locked_until": None}
    if c.execute(update(staff).where(same).values(**values)).rowcount != 1:
        raise StaffRefused(f"There is no member of staff {staff_id!r}.")
    sessions.end_of_staff(c, hospital, staff_id, now)
