"""Sessions of proven devices and of staff, server-side. The cookie is random; only its keyed hash is kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from .rows import value_of
from .tables import session


class Kind(StrEnum):
    """What a cookie is good for."""

    FILM = "film"  # sees one grant's film
    DEVICE = "device"  # has once proved itself for a grant: only spared the lock
    STAFF = "staff"


IDLE = {Kind.FILM: timedelta(minutes=30), Kind.STAFF: timedelta(minutes=30), Kind.DEVICE: timedelta(days=365)}
LONGEST = {Kind.FILM: timedelta(hours=12), Kind.STAFF: timedelta(hours=12), Kind.DEVICE: timedelta(days=365)}


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. `id` is the hash of the cookie."""

    hospital: str
    id: str
    kind: str
    grant_id: str | None
    staff_id: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def _hash(pepper: bytes, cookie: str) -> str:
    return hmac.new(pepper, f"session\0{cookie}".encode(), hashlib.sha256).hexdigest()


def start(
    c: Connection,
    pepper: bytes,
    *,
    hospital: str,
    kind: Kind,
    now: datetime,
    grant_id: str | None = None,
    staff_id: str | None = None,
) -> str:
    """A new session; returns the cookie (256 random bits, base64url)."""
    cookie = secrets.token_urlsafe(32)
    row = {"hospital": hospital, "id": _hash(pepper, cookie), "kind": kind.value, "grant_id": grant_id, "staff_id": staff_id}
    c.execute(insert(session).values(**row, created_at=now, seen_at=now, expires_at=now + LONGEST[kind]))
    return cookie


def find(c: Connection, pepper: bytes, cookie: str, kind: Kind, now: datetime) -> Session | None:
    """The live session of a cookie; None when unknown, ended, idle too long or too old."""
    s = session.c
    query = select(session).where(s.id == _hash(pepper, cookie), s.kind == kind.value, s.ended_at.is_(None), s.expires_at > now)
    row = c.execute(query).first()
    if row is None or row.seen_at <= now - IDLE[kind]:
        return None
    return value_of(Session, row)


def touch(c: Connection, session_id: str, now: datetime) -> None:
    """The session was used now."""
    c.execute(update(session).where(session.c.id == session_id).values(seen_at=now))


def end(c: Connection, session_id: str, now: datetime) -> None:
    c.execute(update(session).where(session.c.id == session_id, session.c.ended_at.is_(None)).values(ended_at=now))


def end_of_grant(c: Connection, hospital: str, grant_id: str, now: datetime) -> None:
    """End every session and known device of a grant."""
    s = session.c
    query = update(session).where(s.hospital == hospital, s.grant_id == grant_id, s.ended_at.is_(None))
    c.execute(query.values(ended_at=now))


def end_of_staff(c: Connection, hospital: str, staff_id: str, now: datetime) -> None:
    """End every session of a member of staff."""
    s = session.c
    query = update(session).where(s.hospital == hospital, s.staff_id == staff_id, s.ended_at.is_(None))
    c.execute(query.values(ended_at=now))
