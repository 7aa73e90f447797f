"""The patient's own part of the journal: who looked, when, with what (SECURITY.md 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cloudfilm.records import grants, journal
from cloudfilm.records.studies import Study
from cloudfilm.records.visits import Visit

# Actions that a patient is shown. A proof's several rows (proof, film-look of every page) are one look: film-open.
OPENINGS = ("film-open", "staff-look", "share-open")
_SHOWN = (*OPENINGS, "report-download", "originals-download", "link-issue", "link-reprint", "link-revoke", "link-unlock")


@dataclass(frozen=True, slots=True)
class Look:
    """One line. `who`: 'patient', 'staff' or 'system'; `action`: as in the journal."""

    at: datetime
    who: str
    action: str


@dataclass(frozen=True, slots=True)
class Looks:
    """All lines, newest first; `count` of openings and the last of them."""

    lines: tuple[Look, ...]
    count: int
    last: datetime | None


def looks_at(c: Connection, visit: Visit, studies: Sequence[Study]) -> Looks:
    """What the journal says about this visit, its links and its studies."""
    objects = [f"visit:{visit.id}", *(f"grant:{grant.id}" for grant in grants.of_visit(c, visit.hospital, visit.id))]
    objects += [f"study:{study.study_key}" for study in studies]
    lines = []
    for entry in journal.about(c, visit.hospital, objects):
        if entry.action in _SHOWN and entry.result == "ok":
            who = entry.actor.partition(":")[0]
            lines.append(Look(datetime.fromisoformat(entry.at), "patient" if who == "grant" else who, entry.action))
    openings = [line for line in lines if line.action in OPENINGS]
    return Looks(tuple(lines), len(openings), openings[0].at if openings else None)
