"""The gateway's small book (SQLite): letters to send, orders, minted links, what was published. The spool's folders are the truth;
this can be written anew from them and from the archive, at the price of letters sent twice, which changes nothing."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cloudfilm.domain.letters import Letter

_TABLES = """
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, data BLOB NOT NULL, at TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0, posted_at TEXT);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (posted_at, due);
CREATE TABLE IF NOT EXISTS imaging_order (
    accession_number TEXT PRIMARY KEY, visit_id TEXT NOT NULL, patient_id TEXT NOT NULL, name TEXT NOT NULL,
    expected INTEGER, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS link (
    visit_id TEXT PRIMARY KEY, grant_id TEXT NOT NULL, key_id INTEGER NOT NULL, expires_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS study (
    study_key TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, instances INTEGER NOT NULL, revision TEXT NOT NULL,
    published_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS report (identity TEXT PRIMARY KEY, published_at TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter to post."""

    id: str
    data: bytes
    tries: int


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """What the gateway remembers of an order."""

    visit_id: str
    patient_id: str
    name: str
    expected: int | None


@dataclass(frozen=True, slots=True)
class MintedLink:
    """A receipt link made here. `expires_at`: aware UTC."""

    grant_id: str
    key_id: int
    expires_at: datetime


class Book:
    """One connection a thread; every change is one durable transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        with self.change() as c:
            for statement in _TABLES.split(";"):
                c.execute(statement)

    def _connection(self) -> sqlite3.Connection:
        found = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                found.execute("PRAGMA " + pragma)
            self._local.connection = found
        return found

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction with the write lock from its beginning."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def post(self, c: sqlite3.Connection, letter: Letter) -> None:
        """Put a letter into the outbox (in the caller's transaction)."""
        c.execute("INSERT OR IGNORE INTO outbox (id, data, at) VALUES (?, ?, ?)", (letter.id, letter.to_bytes(), letter.at.isoformat()))

    def due(self, now: float, limit: int = 100) -> list[Waiting]:
        """Letters to post now, oldest first."""
        rows = self._connection().execute(
            "SELECT id, data, tries FROM outbox WHERE posted_at IS NULL AND due <= ? ORDER BY at, rowid LIMIT ?", (now, limit)
        )
        return [Waiting(*row) for row in rows]

    def unposted(self) -> int:
        return int(self._connection().execute("SELECT COUNT(*) FROM outbox WHERE posted_at IS NULL").fetchone()[0])

    def posted(self, letter_id: str, at: datetime) -> None:
        with self.change() as c:
            c.execute("UPDATE outbox SET posted_at = ?, data = x'' WHERE id = ?", (at.isoformat(), letter_id))

    def postpone(self, letter_id: str, due: float) -> None:
        with self.change() as c:
            c.execute("UPDATE outbox SET tries = tries + 1, due = ? WHERE id = ?", (due, letter_id))

    def order(self, accession_number: str) -> KnownOrder | None:
        row = (
            self._connection()
            .execute("SELECT visit_id, patient_id, name, expected FROM imaging_order WHERE accession_number = ?", (accession_number,))
            .fetchone()
        )
        return KnownOrder(*row) if row else None

    def link(self, visit_id: str) -> MintedLink | None:
        row = self._connection().execute("SELECT grant_id, key_id, expires_at FROM link WHERE visit_id = ?", (visit_id,)).fetchone()
        return MintedLink(row[0], row[1], datetime.fromisoformat(row[2])) if row else None

    def published(self, study_key: str) -> tuple[int, int] | None:
        """(mtime_ns, instances) that the last publication of a study saw."""
        return self._connection().execute("SELECT mtime_ns, instances FROM study WHERE study_key = ?", (study_key,)).fetchone()

    def all_published(self) -> dict[str, tuple[int, int]]:
        """Study key -> (mtime_ns, instances) that its last publication saw."""
        rows = self._connection().execute("SELECT study_key, mtime_ns, instances FROM study")
        return {study_key: (mtime_ns, instances) for study_key, mtime_ns, instances in rows}

    def revision(self, study_key: str) -> str | None:
        """The revision that was last published of a study."""
        row = self._connection().execute("SELECT revision FROM study WHERE study_key = ?", (study_key,)).fetchone()
        return str(row[0]) if row else None

    def note_published(self, c: sqlite3.Connection, study_key: str, seen: tuple[int, int], revision: str, at: datetime) -> None:
        c.execute("INSERT OR REPLACE INTO study VALUES (?, ?, ?, ?, ?)", (study_key, *seen, revision, at.isoformat()))

    def report_done(self, identity: str) -> bool:
        return self._connection().execute("SELECT 1 FROM report WHERE identity = ?", (identity,)).fetchone() is not None

    def note_report(self, c: sqlite3.Connection, identity: str, at: datetime) -> None:
        c.execute("INSERT OR REPLACE INTO report VALUES (?, ?)", (identity, at.isoformat()))

    def counts(self) -> dict[str, int]:
        """Figures for the status."""
        c = self._connection()
        return {
            "orders": int(c.execute("SELECT COUNT(*) FROM imaging_order").fetchone()[0]),
            "published": int(c.execute("SELECT COUNT(*) FROM study").fetchone()[0]),
            "reports": int(c.execute("SELECT COUNT(*) FROM report").fetchone()[0]),
            "letters_waiting": self.unposted(),
        }
