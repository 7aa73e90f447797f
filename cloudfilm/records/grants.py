"""Grants: the one idea behind every link. Who may see what, until when, after which proof (DESIGN.md 4).

A grant opens nothing by its signature: this row must be there, in force, and the answer right.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from cloudfilm.domain.challenge import Challenge, digest, matches, offered

from . import sessions
from .rows import insert_or_ignore, value_of
from .tables import access_grant
from .visits import Visit

MAX_FAILURES = 5  # wrong answers from unknown devices, over the grant's whole life
LONGEST = timedelta(days=3 * 365)


class Standing(StrEnum):
    """What a link is worth now; each has its page."""

    LIVE = "live"
    LOCKED = "locked"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Outcome(StrEnum):
    """What became of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    REFUSED = "refused"  # not live


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant. `challenge`: which proof is asked; '' digest: nobody can answer, only the desk helps."""

    hospital: str
    id: str
    visit_id: str
    kind: str
    can_view: bool
    can_report: bool
    can_download: bool
    challenge: str
    answer_digest: str
    key_id: int
    token_expires_at: datetime
    expires_at: datetime
    created_at: datetime
    issued_by: str
    failures: int
    locked_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str
    replaced_by: str | None

    def standing(self, now: datetime) -> Standing:
        if self.revoked_at is not None:
            return Standing.REVOKED
        if now >= self.expires_at:
            return Standing.EXPIRED
        return Standing.LOCKED if self.locked_at is not None else Standing.LIVE

    @property
    def tries_left(self) -> int:
        return max(0, MAX_FAILURES - self.failures)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new grant and, where a PIN had to be made for it, that PIN (told once, kept only as a hash)."""

    grant: Grant
    pin: str | None


def find(c: Connection, grant_id: str) -> Grant | None:
    """A grant by its id (128 random bits: one over all hospitals)."""
    row = c.execute(select(access_grant).where(access_grant.c.id == grant_id)).first()
    return value_of(Grant, row) if row else None


def of_visit(c: Connection, hospital: str, visit_id: str) -> list[Grant]:
    """All grants of a visit, newest first."""
    g = access_grant.c
    query = select(access_grant).where(g.hospital == hospital, g.visit_id == visit_id).order_by(g.created_at.desc(), g.id)
    return [value_of(Grant, row) for row in c.execute(query)]


def of_hospital(c: Connection, hospital: str, limit: int = 1000) -> list[Grant]:
    """The newest grants of a hospital."""
    g = access_grant.c
    query = select(access_grant).where(g.hospital == hospital).order_by(g.created_at.desc(), g.id).limit(limit)
    return [value_of(Grant, row) for row in c.execute(query)]


def receipt_of(c: Connection, hospital: str, visit_id: str, now: datetime) -> Grant | None:
    """The receipt grant in force, if there is one: a reprint repeats its link. Locked counts: the desk unlocks it."""
    alive = (Standing.LIVE, Standing.LOCKED)
    found = of_visit(c, hospital, visit_id)
    return next((g for g in found if g.kind == "receipt" and g.standing(now) in alive), None)


def _proof(visit: Visit, grant_id: str, pepper: bytes, challenge: Challenge | None) -> tuple[Challenge, str, str | None]:
    """Which challenge, its digest, and a fresh PIN where the visit knows nothing that can be asked."""
    kind = challenge if challenge is not None and challenge.value in visit.proofs else offered(visit.proofs)
    if kind is not None and challenge is not Challenge.PIN:
        return kind, visit.proofs[kind.value], None
    pin = f"{secrets.randbelow(1_000_000):06d}"
    answer = digest(pepper, visit.hospital, grant_id, Challenge.PIN, pin)
    assert answer is not None  # six digits have a PIN's shape
    return Challenge.PIN, answer, pin


def issue(
    c: Connection,
    visit: Visit,
    *,
    days: int,
    key_id: int,
    pepper: bytes,
    issued_by: str,
    now: datetime,
    challenge: Challenge | None = None,
) -> Issued:
    """A new receipt grant, whatever others there are. `challenge`: the desk's choice; None: the first that the visit can answer."""
    expires = (now + timedelta(days=days)).replace(second=0, microsecond=0)
    grant_id = secrets.token_hex(16)
    kind, answer_digest, pin = _proof(visit, grant_id, pepper, challenge)
    row = {
        "hospital": visit.hospital,
        "id": grant_id,
        "visit_id": visit.id,
        "kind": "receipt",
        "can_view": True,
        "can_report": True,
        "can_download": True,
        "challenge": kind.value,
        "answer_digest": answer_digest,
        "key_id": key_id,
        "token_expires_at": expires,
        "expires_at": expires,
        "created_at": now,
        "issued_by": issued_by,
    }
    c.execute(insert(access_grant).values(**row))
    found = find(c, grant_id)
    assert found is not None
    return Issued(found, pin)


def admit_minted(c: Connection, visit: Visit, body: Mapping[str, str | int], at: datetime) -> bool:
    """Let a link that the gateway minted open its visit; False when it is known. Without a proof only the desk can help."""
    expires = datetime.fromisoformat(str(body["expires_at"]))
    kind = offered(visit.proofs)
    row = {
        "hospital": visit.hospital,
        "id": str(body["grant_id"]),
        "visit_id": visit.id,
        "kind": "receipt",
        "challenge": (kind or Challenge.PIN).value,
        "answer_digest": visit.proofs[kind.value] if kind else "",
        "key_id": int(body["key_id"]),
        "token_expires_at": expires,
        "expires_at": expires,
        "created_at": at,
        "issued_by": "gateway",
    }
    return insert_or_ignore(c, access_grant, row)


def move(c: Connection, hospital: str, from_visit: str, to_visit: str) -> None:
    """Links issued on a derived visit go on working on the visit that its order named. What they ask stays the same."""
    g = access_grant.c
    c.execute(update(access_grant).where(g.hospital == hospital, g.visit_id == from_visit).values(visit_id=to_visit))


def follow_visit(c: Connection, visit: Visit) -> None:
    """The HIS corrected a phone number or told a first one: grants of the visit ask for what is known now. PINs stay."""
    kind = offered(visit.proofs)
    if kind is None:
        return
    g = access_grant.c
    mine = (g.hospital == visit.hospital) & (g.visit_id == visit.id) & (g.revoked_at.is_(None))
    c.execute(update(access_grant).where(mine, g.answer_digest == "").values(challenge=kind.value, answer_digest=visit.proofs[kind.value]))
    for known, answer in visit.proofs.items():
        c.execute(update(access_grant).where(mine, g.challenge == known).values(answer_digest=answer))


def prove(c: Connection, grant: Grant, answer: str, *, pepper: bytes, known_device: bool, now: datetime) -> Outcome:
    """Judge an answer. Wrong ones from unknown devices are counted for life, in one UPDATE, so parallel guesses cannot outrun it."""
    standing = grant.standing(now)
    if standing in (Standing.EXPIRED, Standing.REVOKED):
        return Outcome.REFUSED
    if standing is Standing.LOCKED and not known_device:
        return Outcome.LOCKED
    kind = Challenge(grant.challenge)
    subject = grant.id if kind is Challenge.PIN else grant.visit_id
    g = access_grant.c
    same = (g.hospital == grant.hospital) & (g.id == grant.id)
    if not known_device:
        # The place among the five is taken before the answer is looked at, and given back when it was right.
        taken = c.execute(update(access_grant).where(same, g.failures < MAX_FAILURES).values(failures=g.failures + 1))
        if taken.rowcount == 0:
            c.execute(update(access_grant).where(same, g.locked_at.is_(None)).values(locked_at=now))
            return Outcome.LOCKED
    right = bool(grant.answer_digest) and matches(grant.answer_digest, digest(pepper, grant.hospital, subject, kind, answer))
    if right:
        if not known_device:
            c.execute(update(access_grant).where(same).values(failures=g.failures - 1))
        return Outcome.RIGHT
    if known_device:
        return Outcome.WRONG
    locked = c.execute(update(access_grant).where(same, g.failures >= MAX_FAILURES, g.locked_at.is_(None)).values(locked_at=now))
    return Outcome.LOCKED if locked.rowcount else Outcome.WRONG


def renew(c: Connection, grant: Grant, until: datetime) -> None:
    """Move the end of a grant later (never earlier), at most LONGEST after it was made."""
    until = min(until, grant.created_at + LONGEST)
    g = access_grant.c
    same = (g.hospital == grant.hospital) & (g.id == grant.id)
    c.execute(update(access_grant).where(same, g.expires_at < until, g.revoked_at.is_(None)).values(expires_at=until))


def unlock(c: Connection, hospital: str, grant_id: str) -> bool:
    """The desk has seen the person: five new tries."""
    g = access_grant.c
    query = update(access_grant).where(g.hospital == hospital, g.id == grant_id, g.revoked_at.is_(None))
    return c.execute(query.values(failures=0, locked_at=None)).rowcount == 1


def revoke(c: Connection, hospital: str, grant_id: str, *, reason: str, now: datetime, replaced_by: str | None = None) -> bool:
    """End a grant for good, with its sessions; False when there is none or it is revoked already."""
    g = access_grant.c
    query = update(access_grant).where(g.hospital == hospital, g.id == grant_id, g.revoked_at.is_(None))
    done = c.execute(query.values(revoked_at=now, revoked_reason=reason, replaced_by=replaced_by)).rowcount == 1
    if done:
        sessions.end_of_grant(c, hospital, grant_id, now)
    return done
