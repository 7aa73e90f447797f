"""Wrong answers and passwords, counted per address block and over all: what slows a guesser, never a right answer."""

import ipaddress
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select

from .tables import failure

WINDOW = timedelta(minutes=10)
BLOCK_LIMIT = 30  # wrong answers of one address block within WINDOW
GLOBAL_LIMIT = 600  # of everybody


class Door(StrEnum):
    """What was being opened. Counted apart: patients who mistype on the hospital's Wi-Fi must not keep the staff out."""

    FILM = "film"
    STAFF = "staff"


def block_of(address: str) -> str:
    """The IPv4 /24 or IPv6 /48 an address lies in; 'unknown' for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def _counted(door: Door, address: str) -> str:
    return f"{door} {block_of(address)}"


def note(c: Connection, address: str, at: datetime, door: Door = Door.FILM) -> None:
    """Count one failure; what is too old to count is swept."""
    c.execute(insert(failure).values(id=secrets.token_hex(16), block=_counted(door, address), at=at))
    c.execute(delete(failure).where(failure.c.at < at - 6 * WINDOW))


def too_many(c: Connection, address: str, now: datetime, door: Door = Door.FILM) -> bool:
    """Whether a further *wrong* answer from here is answered with "slow down" (429)."""
    recent = select(func.count()).select_from(failure).where(failure.c.at > now - WINDOW, failure.c.block.like(f"{door} %"))
    in_block = c.execute(recent.where(failure.c.block == _counted(door, address))).scalar_one()
    return in_block >= BLOCK_LIMIT or c.execute(recent).scalar_one() >= GLOBAL_LIMIT
