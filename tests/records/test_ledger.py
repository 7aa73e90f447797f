"""One live charge a visit, whatever happens."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudfilm.records import ledger, rates, visits
from cloudfilm.records.database import Database
from cloudfilm.records.visits import ImagingOrder, Visit

from .conftest import NOW
from .test_database import CARD, charge

DAY = date(2026, 11, 20)


def entries(database: Database, visit: Visit) -> list[ledger.Entry]:
    with database.read() as c:
        return ledger.of_visit(c, visit.hospital, visit.id)


def test_a_visit_is_charged_once_however_many_studies_resends_or_revisions(database: Database, visit: Visit) -> None:
    assert charge(database, visit, "letter 1")
    assert not any(charge(database, visit, cause) for cause in ("letter 1", "letter 2", "letter 3"))
    assert [e.amount_fen for e in entries(database, visit)] == [1000]


def test_a_reversed_charge_may_be_followed_by_one_new(database: Database, visit: Visit) -> None:
    charge(database, visit, "letter 1")
    with database.write() as c:
        ledger.reverse(c, entries(database, visit)[0], cause="refund", posted_at=NOW, period="2026-11", actor="staff:f", reason="refund")
    assert charge(database, visit, "letter 2")
    assert not charge(database, visit, "letter 3")
    assert sum(e.amount_fen for e in entries(database, visit)) == 1000


def test_an_entry_is_reversed_once(database: Database, visit: Visit) -> None:
    charge(database, visit, "letter 1")
    for cause in ("refund 1", "refund 2"):
        try:
            with database.write() as c:
                ledger.reverse(c, entries(database, visit)[0], cause=cause, posted_at=NOW, period="2026-11", actor="f", reason="r")
        except ledger.EntryRefused:
            assert cause == "refund 2"
    assert sum(e.amount_fen for e in entries(database, visit)) == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", "b", "c", "reverse"]), max_size=12), st.integers(0, 10**9))
def test_the_balance_is_never_negative_and_never_above_the_price(database: Database, history: list[str], number: int) -> None:
    visit = Visit("h", f"x{number}", "", "P", "名", "", "", "", "", DAY, {}, "", False)
    with database.write() as c:
        visits.put(c, visit, NOW)
    for step, act in enumerate(history):
        if act != "reverse":
            charge(database, visit, act + str(step // 2))
            continue
        for entry in entries(database, visit):
            try:
                with database.write() as c:
                    ledger.reverse(c, entry, cause=f"r{step}", posted_at=NOW, period="2026-11", actor="f", reason="r")
            except ledger.EntryRefused:
                continue
            break
    assert 0 <= sum(e.amount_fen for e in entries(database, visit)) <= CARD.patient_fen


def test_a_period_adds_up_and_shows_the_visit(database: Database, visit: Visit) -> None:
    order = ImagingOrder("h", "CT1", "v1", "", "", "胸部CT", "CT", "", "", "", NOW, None, None)
    with database.write() as c:
        rates.put(c, "h", [CARD])
        visits.put_order(c, order, NOW)
    charge(database, visit, "letter 1")
    with database.read() as c:
        total = ledger.totals(c, "h", DAY, DAY)
        lines = list(ledger.lines(c, "h", DAY, DAY))
        assert list(ledger.lines(c, "other", DAY, DAY)) == []
        assert ledger.totals(c, "h", DAY + timedelta(days=1), DAY + timedelta(days=9)) == ledger.Totals(0, 0, 0, 0)
    assert total == ledger.Totals(1, 1, 1000, 800)
    assert [(x.accession_numbers, x.exams, x.modalities, x.item_name, x.patient_name) for x in lines] == [
        ("CT1", "胸部CT", "CT", "云胶片", "陈志远")
    ]


def test_a_card_that_priced_an_entry_cannot_change(database: Database, visit: Visit) -> None:
    from dataclasses import replace

    from cloudfilm.domain.rates import RateCardWrong

    with database.write() as c:
        rates.put(c, "h", [CARD])
        rates.put(c, "h", [replace(CARD, patient_fen=900)])
        rates.put(c, "h", [CARD])
    charge(database, visit, "letter 1")
    with database.write() as c:
        rates.put(c, "h", [replace(CARD, valid_to=DAY)])
    with pytest.raises(RateCardWrong, match="priced"), database.write() as c:
        rates.put(c, "h", [replace(CARD, patient_fen=900)])
