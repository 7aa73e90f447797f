"""The journal: who did what to what, when, from where. Hash-chained in lanes, append-only, committed before private bytes leave.

Personal data appears only as references (grant, staff, visit and study ids). SECURITY.md 5.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select, update

from cloudfilm.domain.chain import GENESIS, row_hash

from .failures import block_of
from .rows import insert_or_ignore, value_of
from .tables import journal_checkpoint, journal_entry, journal_head

LANES = 4  # writers of different lanes do not queue for each other's head


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, in the order in which it is hashed (all but `previous` and `hash`)."""

    lane: int
    number: int
    at: str
    hospital: str
    actor: str
    action: str
    object: str
    reason: str
    address: str
    result: str
    previous: str
    hash: str


def write(
    c: Connection,
    *,
    hospital: str,
    actor: str,
    action: str,
    object: str,
    now: datetime,
    reason: str = "",
    address: str = "",
    result: str = "ok",
) -> None:
    """Append one row in the caller's transaction. `address` is shortened to its block. Commit before showing what it speaks of."""
    lane = random.randrange(LANES)
    insert_or_ignore(c, journal_head, {"lane": lane, "number": 0, "hash": GENESIS})
    head = c.execute(select(journal_head.c.number, journal_head.c.hash).where(journal_head.c.lane == lane).with_for_update()).one()
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    shown = block_of(address) if address else ""
    number = head.number + 1
    hashed = row_hash(head.hash, [lane, number, at, hospital, actor, action, object, reason, shown, result])
    c.execute(
        insert(journal_entry).values(
            lane=lane,
            number=number,
            at=at,
            hospital=hospital,
            actor=actor,
            action=action,
            object=object,
            reason=reason,
            address=shown,
            result=result,
            previous=head.hash,
            hash=hashed,
        )
    )
    c.execute(update(journal_head).where(journal_head.c.lane == lane).values(number=number, hash=hashed))


def about(c: Connection, hospital: str, objects: list[str], limit: int = 200) -> list[Entry]:
    """Newest rows about any of these objects: the patient's "who looked"."""
    j = journal_entry.c
    query = select(journal_entry).where(j.hospital == hospital, j.object.in_(objects)).order_by(j.at.desc()).limit(limit)
    return [value_of(Entry, row) for row in c.execute(query)]


def checkpoint(c: Connection, key: bytes, now: datetime) -> dict[str, object] | None:
    """Sign the heads of all lanes; None when nothing was written since the last. Returns the checkpoint for the archive."""
    heads = {str(r.lane): [r.number, r.hash] for r in c.execute(select(journal_head).order_by(journal_head.c.lane))}
    text = json.dumps(heads, sort_keys=True, separators=(",", ":"))
    p = journal_checkpoint.c
    last = c.execute(select(journal_checkpoint).order_by(p.number.desc()).limit(1)).first()
    if not heads or (last is not None and last.heads == text):
        return None
    number = (last.number if last else 0) + 1
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    signature = hmac.new(key, f"{number}\n{at}\n{text}".encode(), hashlib.sha256).hexdigest()
    values = {"number": number, "at": at, "heads": text, "signature": signature}
    return values if insert_or_ignore(c, journal_checkpoint, values) else None


def rows_since_checkpoint(c: Connection) -> int:
    """How many rows no checkpoint covers yet."""
    written = c.execute(select(func.coalesce(func.sum(journal_head.c.number), 0))).scalar_one()
    last = c.execute(select(journal_checkpoint.c.heads).order_by(journal_checkpoint.c.number.desc()).limit(1)).scalar()
    return int(written) - sum(number for number, _ in json.loads(last or "{}").values())


def export(c: Connection) -> Iterator[dict[str, object]]:
    """All rows lane by lane, then all checkpoints: what the stand-alone verifier reads, one JSON object each."""
    j = journal_entry.c
    for row in c.execute(select(journal_entry).order_by(j.lane, j.number)):
        yield {"row": dict(row._mapping)}
    for row in c.execute(select(journal_checkpoint).order_by(journal_checkpoint.c.number)):
        yield {"checkpoint": dict(row._mapping)}
