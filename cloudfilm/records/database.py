"""Opening the records: one code path for SQLite and PostgreSQL, and the migrations that lay their tables."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON")
_MIGRATION_LOCK = 7_205_759


class RecordsUnavailable(Exception):
    """The database cannot be reached or is not ours; the text says what to check."""


class Database:
    """The records of one installation. `write()` and `read()` give a connection inside a transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = self._open(begin="BEGIN IMMEDIATE")
        self._reader = self._open(begin="BEGIN") if self._sqlite else self.engine

    def _open(self, *, begin: str) -> Engine:
        if not self._sqlite:
            return create_engine(self.url, pool_pre_ping=True, pool_size=8, max_overflow=8, isolation_level="READ COMMITTED")
        engine = create_engine(self.url, poolclass=None, connect_args={"timeout": 10})

        @event.listens_for(engine, "connect")
        def _connected(dbapi: Any, _record: object) -> None:
            dbapi.isolation_level = None  # the driver must not begin by itself
            for pragma in _PRAGMAS:
                dbapi.execute("PRAGMA " + pragma)

        # A write transaction takes the write lock at BEGIN: read-then-write under a deferred BEGIN fails as soon as two meet.
        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may change rows; commits at the end of the block, rolls back on any exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only looks; never waits for a writer on SQLite."""
        with self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()
        self._reader.dispose()


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> None:
    """Bring the tables to the newest form; several processes may call it at once. Raises RecordsUnavailable."""
    from alembic import command

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command.upgrade(_config(url), "head")
        return
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _MIGRATION_LOCK})
            command.upgrade(_config(url), "head")
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _MIGRATION_LOCK})
    except DBAPIError as error:
        raise RecordsUnavailable(
            f"The database {parsed.render_as_string(hide_password=True)} cannot be used; check CLOUDFILM_DATABASE."
        ) from error
    finally:
        engine.dispose()


def newest_revision() -> str:
    """The migration that a database of today has: a migration's file is named after its revision, numbered upwards."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _is_newest(database: Database) -> bool:
    try:
        with database.read() as c:
            return bool(c.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest_revision())
    except DBAPIError:
        return False


def open_database(url: str) -> Database:
    """Open, and migrate first where the tables are not of today. Most processes find them so and never load Alembic (0.5 s, 10 MB)."""
    database = Database(url)
    if not _is_newest(database):
        migrate(url)
    return database
