"""Challenges, names, money, rates, the chain, orders, sidecars, letters."""

import hashlib
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfilm.domain import chain, letters, money, orders, person, rates, sidecar
from cloudfilm.domain.challenge import Challenge, digest, matches, normalise, offered
from cloudfilm.domain.visitmail import visit_body

PEPPER = b"p" * 32
ORDER = {
    "schema": "cloudfilm-order/1",
    "visit_id": "MZ1",
    "patient_id": "P1",
    "name": "陈志远",
    "sex": "M",
    "birth_date": "1963-05-14",
    "phone": "13900000107",
    "id_card_last4": "001x",
    "accession": "CT1",
    "ordered_exam": {"name": "胸部CT增强", "modality": "CT"},
    "ordered_time": "2026-11-20T08:31:10+08:00",
}


@pytest.mark.parametrize("answer", ["0107", "０１０７", " 01 07 "])
def test_an_answer_is_forgiven_its_form(answer: str) -> None:
    assert normalise(Challenge.PHONE_LAST_4, answer) == "0107"


@pytest.mark.parametrize("answer", ["", "107", "01077", "01O7", "abcd"])
def test_what_is_no_answer_has_no_digest(answer: str) -> None:
    assert digest(PEPPER, "h", "v", Challenge.PHONE_LAST_4, answer) is None
    assert not matches("0" * 64, digest(PEPPER, "h", "v", Challenge.PHONE_LAST_4, answer))


def test_the_same_digits_of_two_visits_have_two_digests() -> None:
    one = digest(PEPPER, "h", "v1", Challenge.PHONE_LAST_4, "0107")
    assert one != digest(PEPPER, "h", "v2", Challenge.PHONE_LAST_4, "0107")
    assert one != digest(PEPPER, "h2", "v1", Challenge.PHONE_LAST_4, "0107")


def test_what_a_visit_lacks_is_skipped() -> None:
    assert offered({"birth": "x", "id4": "y"}) is Challenge.ID_LAST_4
    assert offered({}) is None


def test_digits_of_phone_id_and_birth_do_not_leave_the_hospital() -> None:
    told = json.dumps(visit_body(orders.read(json.dumps(ORDER).encode()), hospital="h", pepper=PEPPER), ensure_ascii=False)
    for secret in ("13900000107", "001X", "001x", "1963", "0514", "05-14"):
        assert secret not in told
    assert '"063Y"' in told
    assert '"139****0107"' in told  # the desk's mask; the digits that prove are hashed


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张立三", "张*三"),
        ("李四", "李*"),
        ("王", "*"),
        ("", "*"),
        ("阿依古丽·买买提", "阿******提"),
        ("Li Ming", "L* M***"),
        ("𬎆国强", "𬎆*强"),
    ],
)
def test_a_stranger_sees_a_masked_name(name: str, masked: str) -> None:
    assert person.mask_name(name) == masked


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("陈志远", "陈志远", True),
        ("陈志远", "CHEN ZHI YUAN", True),
        ("买买提・艾力", "买买提·艾力", True),
        ("陈志远", "李四", False),
        ("", "李四", True),
    ],
)
def test_two_spellings_of_a_person(one: str, other: str, same: bool) -> None:
    assert person.same_person_name(one, other) is same


@given(st.integers(-(10**12), 10**12))
def test_money_reads_back(fen: int) -> None:
    assert money.parse_yuan(money.format_yuan(fen)) == fen


@pytest.mark.parametrize(("text", "fen"), [("12", 1200), ("12.0", 1200), ("12.00", 1200), ("0.05", 5), ("-5.5", -550)])
def test_amounts_parse_exactly(text: str, fen: int) -> None:
    assert money.parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "1.005", "1e3", "NaN", "¥12", "12,00", "１２.3.4"])
def test_what_is_no_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(money.AmountWrong):
        money.parse_yuan(text)


CARDS = """item,name,unit,patient_yuan,settlement_yuan,valid_from,valid_to,note
CLOUDFILM,云胶片,visit,10.00,8.00,2026-01-01,2026-06-30,甲
CLOUDFILM,云胶片,visit,12.00,9.00,2026-07-01,,乙
"""


def test_the_price_is_that_of_the_service_date() -> None:
    cards = rates.read_cards(CARDS)
    assert [rates.price_on(cards, date(2026, m, d), rates.Unit.VISIT).patient_fen for m, d in ((6, 30), (7, 1))] == [1000, 1200]
    assert rates.price_on(cards, date(2025, 12, 31), rates.Unit.VISIT) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("2026-07-01", "2026-06-30"), "same day"),
        (("12.00", "12.005"), "line 3"),
        (("item,name", "name,item"), "line 1"),
        (("visit,12", "week,12"), "line 3"),
    ],
)
def test_a_wrong_card_names_its_line(change: tuple[str, str], word: str) -> None:
    with pytest.raises(rates.RateCardWrong, match=word):
        rates.read_cards(CARDS.replace(*change))


def test_a_row_hash_is_what_the_page_says() -> None:
    # sha256("0"*64 + "\n" + '[1,"a",null]'), by coreutils
    assert chain.row_hash(chain.GENESIS, [1, "a", None]) == hashlib.sha256(b"0" * 64 + b'\n[1,"a",null]').hexdigest()


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("visit_id", "", "visit_id"),
        ("ordered_time", "2026-11-20 08:31", "zone"),
        ("ordered_time", "gestern", "ordered_time"),
        ("birth_date", "63/5/14", "birth_date"),
        ("schema", "x", "schema"),
        ("name", ["a"], "name"),
        ("expected_instances", -1, "expected"),
        ("ordered_exam", [], None),
    ],
)
def test_a_wrong_order_names_its_field(field: str, value: object, word: str | None) -> None:
    data = json.dumps({**ORDER, field: value}).encode()
    if word is None:
        assert orders.read(data).exam_name == ""
        return
    with pytest.raises(orders.OrderWrong, match=word):
        orders.read(data)


def test_an_order_in_gb18030_is_read() -> None:
    assert orders.read(json.dumps(ORDER, ensure_ascii=False).encode("gb18030")).name == "陈志远"


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        ("1963-05-14", "2026-05-13", "062Y"),
        ("2026-05-14", "2026-11-20", "006M"),
        ("2026-11-08", "2026-11-20", "012D"),
        ("", "2026-11-20", ""),
    ],
)
def test_age_is_in_the_unit_that_matters(birth: str, day: str, age: str) -> None:
    assert orders.age_on(birth, day) == age


SIDECAR = {
    "schema": "cloudfilm-report-sidecar/1",
    "accession": "CT1",
    "status": "final",
    "findings": "a",
    "impression": "b",
    "pdf": "report.pdf",
}


def test_another_word_is_another_version_and_the_same_words_are_not() -> None:
    one, again = (sidecar.read(json.dumps(SIDECAR).encode()).content("0" * 64) for _ in range(2))
    assert one == again
    assert one != sidecar.read(json.dumps({**SIDECAR, "findings": "c"}).encode()).content("0" * 64)


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "done"), ("pdf", "../x.pdf"), ("pdf", "/etc/passwd"), ("accession", ""), ("findings", 3), ("schema", "")],
)
def test_a_wrong_sidecar_is_refused(field: str, value: object) -> None:
    with pytest.raises(sidecar.SidecarWrong):
        sidecar.read(json.dumps({**SIDECAR, field: value}).encode())


AT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


def test_a_letter_reads_back_and_unknown_fields_are_kept() -> None:
    letter = letters.write(hospital="h", kind=letters.Kind.ORDER_CANCELLED, at=AT, body={"accession_number": "CT1", "new": [1]})
    assert letters.read(letter.to_bytes()) == letter


def test_an_unknown_kind_can_be_read_so_that_a_person_sees_it() -> None:
    body = letters._content("h", "telepathy", AT, {"a": 1})
    identity = hashlib.sha256(letters._canonical(body)).hexdigest()
    assert letters.read(letters._canonical({"id": identity, **body})).kind == "telepathy"


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_read_or_be_wrong(data: bytes) -> None:
    with pytest.raises(letters.LetterWrong):
        letters.read(data)


def test_a_changed_letter_is_not_whole() -> None:
    letter = letters.write(hospital="h", kind=letters.Kind.ORDER_CANCELLED, at=AT, body={"accession_number": "CT1"})
    with pytest.raises(letters.LetterWrong):
        letters.read(letter.to_bytes().replace(b"CT1", b"CT2"))


def test_a_letter_without_its_fields_is_not_written() -> None:
    with pytest.raises(letters.LetterWrong, match="name"):
        letters.write(hospital="h", kind=letters.Kind.VISIT, at=AT, body={"visit_id": "1"})
