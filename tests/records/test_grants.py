"""Links: proof, lock, revocation, sessions."""

import threading
from collections.abc import Iterator

import pytest

from cloudfilm.domain.challenge import Challenge, digest
from cloudfilm.records import failures, grants, sessions, visits
from cloudfilm.records.database import Database
from cloudfilm.records.grants import Grant, Outcome, Standing
from cloudfilm.records.visits import Visit

from .conftest import HOUR, NOW, PEPPER, a_visit

PROOFS = {"phone4": str(digest(PEPPER, "h", "v1", Challenge.PHONE_LAST_4, "0107"))}


@pytest.fixture
def grant(database: Database) -> Iterator[Grant]:
    visit = a_visit(proofs=PROOFS)
    with database.write() as c:
        visits.put(c, visit, NOW)
        yield_me = grants.issue(c, visit, days=180, key_id=1, pepper=PEPPER, issued_by="desk", now=NOW).grant
    yield yield_me


def answer(database: Database, grant: Grant, given: str, *, known: bool = False) -> Outcome:
    with database.write() as c:
        now_grant = grants.find(c, grant.id)
        assert now_grant is not None
        return grants.prove(c, now_grant, given, pepper=PEPPER, known_device=known, now=NOW)


def test_the_right_answer_opens_and_costs_no_try(database: Database, grant: Grant) -> None:
    assert answer(database, grant, "0107") is Outcome.RIGHT
    with database.read() as c:
        found = grants.find(c, grant.id)
    assert found is not None
    assert found.tries_left == 5


def test_five_wrong_answers_lock_for_life_but_not_for_a_known_device(database: Database, grant: Grant) -> None:
    assert [answer(database, grant, "9999") for _ in range(6)] == [Outcome.WRONG] * 4 + [Outcome.LOCKED] * 2
    assert answer(database, grant, "0107") is Outcome.LOCKED
    assert answer(database, grant, "0107", known=True) is Outcome.RIGHT
    with database.write() as c:
        assert grants.unlock(c, "h", grant.id)
    assert answer(database, grant, "0107") is Outcome.RIGHT


def test_right_answers_between_do_not_give_tries_back(database: Database, grant: Grant) -> None:
    for given in ("9999", "9998", "0107", "9997", "9996", "0107"):
        answer(database, grant, given)
    assert answer(database, grant, "9995") is Outcome.LOCKED


def test_parallel_guesses_cannot_outrun_the_count(database: Database, grant: Grant) -> None:
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda n=n: outcomes.append(answer(database, grant, f"{n:04d}"))) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Outcome.WRONG) == 4
    assert outcomes.count(Outcome.LOCKED) == 8


def test_a_revoked_grant_refuses_and_its_sessions_end(database: Database, grant: Grant) -> None:
    with database.write() as c:
        cookie = sessions.start(c, PEPPER, hospital="h", kind=sessions.Kind.FILM, now=NOW, grant_id=grant.id)
        assert sessions.find(c, PEPPER, cookie, sessions.Kind.FILM, NOW) is not None
        assert grants.revoke(c, "h", grant.id, reason="desk", now=NOW)
        assert sessions.find(c, PEPPER, cookie, sessions.Kind.FILM, NOW) is None
        assert not grants.revoke(c, "h", grant.id, reason="again", now=NOW)
    assert answer(database, grant, "0107") is Outcome.REFUSED


def test_another_hospital_cannot_revoke_it(database: Database, grant: Grant) -> None:
    with database.write() as c:
        assert not grants.revoke(c, "other", grant.id, reason="x", now=NOW)


def test_it_expires_and_is_renewed_but_not_past_three_years(database: Database, grant: Grant) -> None:
    assert grant.standing(grant.expires_at) is Standing.EXPIRED
    with database.write() as c:
        grants.renew(c, grant, grant.expires_at + 24 * HOUR)
        grants.renew(c, grant, NOW + 5000 * 24 * HOUR)
        found = grants.find(c, grant.id)
    assert found is not None
    assert found.expires_at == NOW + grants.LONGEST
    assert found.token_expires_at == grant.token_expires_at


def test_a_visit_without_anything_to_ask_gets_a_pin(database: Database, visit: Visit) -> None:
    with database.write() as c:
        issued = grants.issue(c, visit, days=1, key_id=1, pepper=PEPPER, issued_by="desk", now=NOW)
    assert issued.pin is not None
    assert issued.grant.challenge == "pin"
    assert answer(database, issued.grant, issued.pin) is Outcome.RIGHT
    assert answer(database, issued.grant, "000000" if issued.pin != "000000" else "111111") is Outcome.WRONG


def test_a_corrected_phone_number_is_asked_from_then_on(database: Database, grant: Grant) -> None:
    changed = a_visit(proofs={"phone4": str(digest(PEPPER, "h", "v1", Challenge.PHONE_LAST_4, "2222"))})
    with database.write() as c:
        grants.follow_visit(c, changed)
    assert answer(database, grant, "0107") is Outcome.WRONG
    assert answer(database, grant, "2222") is Outcome.RIGHT


def test_a_session_ends_when_idle_and_the_cookie_is_not_kept(database: Database, grant: Grant) -> None:
    with database.write() as c:
        cookie = sessions.start(c, PEPPER, hospital="h", kind=sessions.Kind.FILM, now=NOW, grant_id=grant.id)
        found = sessions.find(c, PEPPER, cookie, sessions.Kind.FILM, NOW)
        assert found is not None
        assert cookie not in found.id
        assert sessions.find(c, PEPPER, cookie, sessions.Kind.DEVICE, NOW) is None
        assert sessions.find(c, PEPPER, cookie, sessions.Kind.FILM, NOW + HOUR / 2) is None
        for step in range(1, 30):
            sessions.touch(c, found.id, NOW + step * HOUR / 2.5)
        assert sessions.find(c, PEPPER, cookie, sessions.Kind.FILM, NOW + 12 * HOUR) is None


def test_failures_of_one_block_slow_that_block_only(database: Database) -> None:
    with database.write() as c:
        for n in range(failures.BLOCK_LIMIT):
            failures.note(c, f"203.0.113.{n}", NOW)
        assert failures.too_many(c, "203.0.113.200", NOW)
        assert not failures.too_many(c, "198.51.100.1", NOW)
        assert not failures.too_many(c, "203.0.113.200", NOW + failures.WINDOW)


def test_wrong_passwords_of_staff_are_counted_apart_from_wrong_answers_of_patients(database: Database) -> None:
    with database.write() as c:
        for _ in range(failures.BLOCK_LIMIT):
            failures.note(c, "203.0.113.7", NOW)
        assert failures.too_many(c, "203.0.113.7", NOW)
        assert not failures.too_many(c, "203.0.113.7", NOW, failures.Door.STAFF)
