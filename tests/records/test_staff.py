"""Logins."""

import pytest

from cloudfilm.records import sessions, staff
from cloudfilm.records.database import Database

from .conftest import HOUR, NOW, PEPPER

FIRST = "first-password"


@pytest.fixture
def desk(database: Database) -> str:
    with database.write() as c:
        staff.add(c, hospital="h", staff_id="d1", name="周敏", role=staff.Role.DESK, password=FIRST, must_change=True, now=NOW)
    return "d1"


def log_in(database: Database, password: str, now: object = NOW, hospital: str = "h") -> staff.Member | None:
    with database.write() as c:
        return staff.log_in(c, hospital, "d1", password, now)  # type: ignore[arg-type]


def test_the_first_password_works_and_must_change(database: Database, desk: str) -> None:
    member = log_in(database, FIRST)
    assert member is not None
    assert member.must_change
    assert log_in(database, FIRST, hospital="other") is None


def test_five_wrong_passwords_pause_the_account(database: Database, desk: str) -> None:
    for _ in range(5):
        assert log_in(database, "wrong-password") is None
    assert log_in(database, FIRST) is None
    assert log_in(database, FIRST, NOW + HOUR) is not None


def test_a_changed_password_ends_all_sessions(database: Database, desk: str) -> None:
    with database.write() as c:
        cookie = sessions.start(c, PEPPER, hospital="h", kind=sessions.Kind.STAFF, now=NOW, staff_id="d1")
        with pytest.raises(staff.StaffRefused, match="old"):
            staff.change_password(c, "h", "d1", FIRST, NOW)
        with pytest.raises(staff.StaffRefused, match="fewer"):
            staff.change_password(c, "h", "d1", "short", NOW)
        staff.change_password(c, "h", "d1", "another-password", NOW)
        assert sessions.find(c, PEPPER, cookie, sessions.Kind.STAFF, NOW) is None
    member = log_in(database, "another-password")
    assert member is not None
    assert not member.must_change


def test_an_id_is_taken_once(database: Database, desk: str) -> None:
    with pytest.raises(staff.StaffRefused, match="already"), database.write() as c:
        staff.add(c, hospital="h", staff_id="d1", name="x", role=staff.Role.ADMIN, password=FIRST, must_change=True, now=NOW)
