"""The export: CSV and XLSX agree, ids stay text, formulas are defused, totals add up, the same rows give the same bytes."""

import csv
import hashlib
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from cloudfilm.documents import billing
from cloudfilm.records.ledger import Entry, Kind, Line

AT = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


def a_line(n: int, fen: int = 1000, **changed: object) -> Line:
    entry = Entry(
        hospital="h",
        id=f"{n:064d}",
        visit_id=f"0{n}",
        item="CLOUDFILM",
        kind=(Kind.CHARGE if fen >= 0 else Kind.REVERSAL).value,
        number=1,
        cause="c",
        amount_fen=fen,
        settlement_fen=fen,
        service_date=date(2026, 11, 20),
        posted_at=AT,
        period="2026-11",
        rate_card="CLOUDFILM@2026-01-01",
        reverses=None if fen >= 0 else "x",
        actor="registrar",
        reason="",
        proof="",
    )
    values: dict[str, object] = {
        "entry": entry,
        "visit_type": "门诊",
        "patient_id": "110101196305140019",
        "patient_name": "陈志远",
        "department": "呼吸科",
        "accession_numbers": "007",
        "exams": "胸部CT",
        "modalities": "CT",
        "item_name": "云胶片",
        "price_note": "",
        "available_at": AT,
    }
    return Line(**{**values, **changed})  # type: ignore[arg-type]


def written(lines: list[Line], kind: billing.Format) -> tuple[bytes, billing.Exported]:
    out = io.BytesIO()
    done = billing.export(iter(lines), out, kind, hospital="青澜市中心医院", zone=ZONE)
    return out.getvalue(), done


def csv_rows(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def xlsx_rows(data: bytes) -> list[list[object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


LINES = [a_line(1), a_line(2, -500), a_line(3, 123, patient_name="=HYPERLINK(1)", exams="@SUM(A1)", department="-2+3")]


def test_both_kinds_have_the_same_rows_and_a_totals_row_that_adds_up() -> None:
    text, done = written(LINES, billing.Format.CSV)
    book, again = written(LINES, billing.Format.XLSX)
    rows, cells = csv_rows(text), xlsx_rows(book)
    assert (done.entries, done.amount_fen) == (again.entries, again.amount_fen) == (3, 623)
    assert rows[0] == cells[0] == list(billing.COLUMNS)
    assert len(rows) == len(cells) == 5
    amount = billing.COLUMNS.index("金额(元)")
    assert [row[amount] for row in rows[1:]] == ["10.00", "-5.00", "1.23", "6.23"]
    assert [row[amount] for row in cells[1:]] == [10, -5, 1.23, 6.23]
    for left, right in zip(rows[1:-1], cells[1:-1], strict=True):
        words = [i for i, value in enumerate(right) if isinstance(value, str)]
        assert [left[i] for i in words] == [right[i] for i in words]


def test_ids_stay_text_and_the_name_is_masked() -> None:
    row = dict(zip(billing.COLUMNS, xlsx_rows(written(LINES, billing.Format.XLSX)[0])[1], strict=True))
    assert row["患者ID"] == "110101196305140019"
    assert (row["就诊流水号"], row["检查号"]) == ("01", "007")
    assert row["患者姓名"] == "陈*远"
    assert row["影像可用时间"] == "2026-11-21 00:30:00"


@pytest.mark.parametrize("kind", billing.Format)
def test_no_cell_begins_as_a_formula(kind: billing.Format) -> None:
    data = written(LINES, kind)[0]
    rows = csv_rows(data) if kind is billing.Format.CSV else xlsx_rows(data)
    numbers = {billing.COLUMNS.index(name) for name in ("单价(元)", "数量", "金额(元)", "结算价(元)")}
    for row in rows[1:]:
        for at, cell in enumerate(row):
            assert at in numbers or str(cell or "")[:1] not in ("=", "+", "-", "@")


@pytest.mark.parametrize("kind", billing.Format)
def test_the_same_rows_give_the_same_bytes_and_the_hash_is_theirs(kind: billing.Format) -> None:
    one, done = written(LINES, kind)
    assert one == written(LINES, kind)[0]
    assert done.sha256 == hashlib.sha256(one).hexdigest()


@pytest.mark.parametrize("kind", billing.Format)
def test_an_empty_period_is_a_head_and_a_zero(kind: billing.Format) -> None:
    data, done = written([], kind)
    rows = csv_rows(data) if kind is billing.Format.CSV else xlsx_rows(data)
    assert len(rows) == 2
    assert done.amount_fen == 0
