"""Both databases, every record test. The cast: a patient's visit, another patient's, another hospital's."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cloudfilm.records import hospitals, visits
from cloudfilm.records.database import Database, open_database
from cloudfilm.records.hospitals import Hospital
from cloudfilm.records.visits import Visit

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEPPER = b"p" * 32


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/records.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    opened = open_database(url)
    with opened.write() as c:
        for hospital in ("h", "other"):
            hospitals.put(c, Hospital(hospital, "医院", "", "Asia/Shanghai"))
    yield opened
    opened.close()


def a_visit(visit_id: str = "v1", hospital: str = "h", **changed: object) -> Visit:
    values: dict[str, object] = {
        "hospital": hospital,
        "id": visit_id,
        "visit_type": "门诊",
        "patient_id": "P1",
        "name": "陈志远",
        "sex": "M",
        "age": "063Y",
        "department": "呼吸科",
        "receipt_no": "",
        "visit_date": date(2026, 11, 20),
        "proofs": {},
        "phone_masked": "",
        "derived": False,
    }
    return Visit(**{**values, **changed})  # type: ignore[arg-type]


@pytest.fixture
def visit(database: Database) -> Visit:
    given = a_visit()
    with database.write() as c:
        visits.put(c, given, NOW)
    return given
