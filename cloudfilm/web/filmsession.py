"""What a proven device holds: a session cookie per film, and a longer "known device" cookie that only spares it the lock.

Cookies are random; the records keep their keyed hash. One name per grant, so that a daughter can hold both parents' films.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from cloudfilm import clock
from cloudfilm.records import grants, sessions
from cloudfilm.records.grants import Grant, Standing
from cloudfilm.records.sessions import Kind, Session

from . import cookies
from .installation import here
from .policy import Rule

TOUCH_EVERY = timedelta(seconds=60)
_FILM, _DEVICE = "film-", "device-"
_DEVICES_KEPT = 12  # a kiosk must not outgrow the request's header limit
_DEVICE_LIFE = timedelta(days=365)


class SessionEnded(Exception):
    """No live session for this film: never proven, left, idle too long, or the link was revoked. All look the same."""


@dataclass(frozen=True, slots=True)
class Film:
    """What this request may see: one grant, by one proven session."""

    grant: Grant
    session: Session


def _of(grant_id: str) -> str:
    return grant_id[:12]


def session_of(c: Connection, grant_id: str, now: datetime) -> Session | None:
    """The live film session that this browser holds for the grant."""
    cookie = cookies.read(_FILM + _of(grant_id))
    found = sessions.find(c, here().keys.pepper, cookie, Kind.FILM, now) if cookie else None
    return found if found is not None and found.grant_id == grant_id else None


def known_device(c: Connection, grant_id: str, now: datetime) -> bool:
    """Whether this browser has once proved itself for the grant."""
    cookie = cookies.read(_DEVICE + _of(grant_id))
    found = sessions.find(c, here().keys.pepper, cookie, Kind.DEVICE, now) if cookie else None
    return found is not None and found.grant_id == grant_id


@dataclass(frozen=True, slots=True)
class Opened:
    """The cookies of a device that has just proved itself; `device` '' when it was known."""

    grant_id: str
    film: str
    device: str

    def hand_to(self, response: Response) -> None:
        cookies.put(response, _FILM + _of(self.grant_id), self.film)
        if not self.device:
            return
        for old in cookies.names(_DEVICE)[: -(_DEVICES_KEPT - 1)]:
            cookies.drop(response, old)
        cookies.put(response, _DEVICE + _of(self.grant_id), self.device, _DEVICE_LIFE)


def open_film(c: Connection, grant: Grant, now: datetime) -> Opened:
    """Start the sessions of a device whose answer was right."""
    pepper = here().keys.pepper
    device = ""
    if not known_device(c, grant.id, now):
        device = sessions.start(c, pepper, hospital=grant.hospital, kind=Kind.DEVICE, now=now, grant_id=grant.id)
    film = sessions.start(c, pepper, hospital=grant.hospital, kind=Kind.FILM, now=now, grant_id=grant.id)
    return Opened(grant.id, film, device)


def forget(response: Response, grant_id: str) -> None:
    """Take the film cookie back (the session itself is ended in the records)."""
    cookies.drop(response, _FILM + _of(grant_id))


def guard(_rule: Rule) -> ResponseReturnValue | None:
    """Let a live session of the grant in the address pass, as `film()`; raises SessionEnded."""
    grant_id = str((request.view_args or {}).get("grant", ""))
    now = clock.now()
    database = here().database
    with database.read() as c:
        session = session_of(c, grant_id, now)
        grant = grants.find(c, grant_id) if session else None
    if session is None or grant is None or grant.standing(now) in (Standing.REVOKED, Standing.EXPIRED):
        raise SessionEnded
    if now - session.seen_at > TOUCH_EVERY:
        with database.write() as c:
            sessions.touch(c, session.id, now)
    g.film = Film(grant, session)
    return None


def film() -> Film:
    """The film of this request, after the guard."""
    found: Film = g.film
    return found
