"""The migrations lay what tables.py sees; append-only holds; two writers do not trip over each other."""

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloudfilm.domain.rates import RateCard, Unit
from cloudfilm.records import journal, ledger, visits
from cloudfilm.records.database import MIGRATIONS, Database, migrate, newest_revision, open_database
from cloudfilm.records.tables import APPEND_ONLY, metadata
from cloudfilm.records.visits import Visit

from .conftest import HOUR, NOW, a_visit

CARD = RateCard("CLOUDFILM", "云胶片", Unit.VISIT, 1000, 800, date(2026, 1, 1), None, "")


def charge(database: Database, visit: Visit, cause: str) -> bool:
    with database.write() as c:
        return ledger.charge(
            c,
            hospital=visit.hospital,
            visit_id=visit.id,
            card=CARD,
            cause=cause,
            service_date=date(2026, 11, 20),
            posted_at=NOW,
            period="2026-11",
            proof="manifest",
        )


def test_the_newest_migration_equals_the_tables(database: Database) -> None:
    with database.engine.connect() as c:
        context = MigrationContext.configure(c, opts={"compare_type": _compare_type})
        assert compare_metadata(context, metadata) == []


def _compare_type(context: Any, column: Any, table_column: Any, seen: Any, wanted: Any) -> bool:
    return type(seen)._type_affinity is not type(wanted)._type_affinity and "Utc" not in type(wanted).__name__


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database.url)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET number = 99", "DELETE FROM {}"])
def test_what_is_append_only_cannot_be_changed(database: Database, visit: Visit, table: str, verb: str) -> None:
    charge(database, visit, "letter")
    with database.write() as c:
        journal.write(c, hospital="h", actor="system", action="look", object="x", now=NOW)
        journal.checkpoint(c, b"k", NOW)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as c:
        c.execute(text(verb.format(table)))


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as c:
        visits.put(c, a_visit("v9"), NOW)
        raise RuntimeError
    with database.read() as c:
        assert visits.get(c, "h", "v9") is None


def test_many_writers_that_read_first_all_get_through(database: Database, visit: Visit) -> None:
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(10):
                with database.write() as c:
                    journal.write(c, hospital="h", actor="system", action="look", object="x", now=NOW)
        except Exception as error:  # whatever it is, the test must see it
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as c:
        assert len(journal.about(c, "h", ["x"])) == 40


def test_times_come_back_aware_and_naive_ones_are_refused(database: Database, visit: Visit) -> None:
    with pytest.raises((ValueError, DBAPIError, Exception), match="zone"), database.write() as c:
        visits.put(c, a_visit("v2"), NOW.replace(tzinfo=None))
    with database.read() as c:
        found = c.execute(text("SELECT 1")).scalar()
    assert found == 1


def test_an_older_telling_changes_nothing_and_a_derived_visit_gives_way(database: Database) -> None:
    with database.write() as c:
        visits.put(c, a_visit("v3", derived=True, name="CHEN ZHIYUAN"), NOW)
        visits.put(c, a_visit("v3", name="陈志远"), NOW - HOUR)
        visits.put(c, a_visit("v3", name="别人"), NOW - 2 * HOUR)
        visits.put(c, a_visit("v3", derived=True, name="又一个"), NOW + HOUR)
        found = visits.get(c, "h", "v3")
    assert found is not None
    assert (found.name, found.derived) == ("陈志远", False)


def test_a_migrations_file_is_named_after_its_revision_and_the_last_is_the_head() -> None:
    # open_database trusts the names, so that most processes never load Alembic.
    scripts = ScriptDirectory(str(MIGRATIONS))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert sorted(revisions) == sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))
    assert newest_revision() == scripts.get_current_head()


def test_an_empty_database_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/not/there/yet/records.sqlite")
    with opened.read() as c:
        assert c.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest_revision()
        assert c.execute(text("SELECT count(*) FROM visit")).scalar() == 0
    opened.close()
