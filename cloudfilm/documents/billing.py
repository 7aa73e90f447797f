"""The per-visit billing export: CSV and XLSX with the same rows, columns and totals (BILLING.md 5, DOMAIN.md 4).

Ids are text, so that a spreadsheet keeps leading zeros and 18 digits; a text that a spreadsheet would run as a formula is defused.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO
from zoneinfo import ZoneInfo

from cloudfilm.domain.money import format_yuan
from cloudfilm.domain.person import mask_name
from cloudfilm.records.ledger import Kind, Line

COLUMNS = (
    "结算月份",
    "医院",
    "就诊流水号",
    "就诊类型",
    "患者ID",
    "患者姓名",
    "科室",
    "检查号",
    "检查项目",
    "检查类型",
    "服务日期",
    "影像可用时间",
    "计费单位",
    "收费项目编码",
    "收费项目",
    "单价(元)",
    "数量",
    "金额(元)",
    "结算价(元)",
    "状态",
    "原因",
    "原流水号",
    "流水号",
    "价目版本",
    "备注",
)
_STATES = {Kind.CHARGE: "计费", Kind.WAIVER: "减免", Kind.REVERSAL: "冲正", Kind.DEDUCTION: "扣减", Kind.ADJUSTMENT: "调整"}
_NUMBERS = {"单价(元)", "数量", "金额(元)", "结算价(元)"}


class Format(StrEnum):
    """Kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: entries, signed sums in fen, SHA-256 of the file's bytes."""

    entries: int
    amount_fen: int
    settlement_fen: int
    sha256: str


class _Counted:
    """A binary file that hashes what is written to it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._hash = out, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def state_word(kind: str) -> str:
    """The kind of an entry as finance says it."""
    return _STATES[Kind(kind)]


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def row(line: Line, hospital: str, zone: ZoneInfo) -> list[str | int]:
    """One entry in the order of COLUMNS; amounts are fen here, written as yuan by the file's kind."""
    e = line.entry
    quantity = -1 if e.amount_fen < 0 else 1
    return [
        e.period,
        defused(hospital),
        defused(e.visit_id),
        defused(line.visit_type),
        defused(line.patient_id),
        defused(mask_name(line.patient_name)),
        defused(line.department),
        defused(line.accession_numbers),
        defused(line.exams),
        defused(line.modalities),
        e.service_date.isoformat(),
        _moment(line.available_at, zone),
        "visit",
        e.item,
        defused(line.item_name),
        abs(e.amount_fen),
        quantity,
        e.amount_fen,
        e.settlement_fen,
        state_word(e.kind),
        defused(e.reason),
        e.reverses or "",
        e.id,
        e.rate_card,
        defused(line.price_note),
    ]


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _totals(entries: int, amount: int, settlement: int) -> list[str | int]:
    cells: list[str | int] = ["合计", f"{entries} 条", *[""] * (len(COLUMNS) - 2)]
    cells[COLUMNS.index("金额(元)")] = amount
    cells[COLUMNS.index("结算价(元)")] = settlement
    return cells


def _rows(lines: Iterable[Line], hospital: str, zone: ZoneInfo, sums: list[int]) -> Iterator[list[str | int]]:
    """All rows and the totals row; `sums` = [entries, amount, settlement] is filled on the way."""
    for line in lines:
        sums[0] += 1
        sums[1] += line.entry.amount_fen
        sums[2] += line.entry.settlement_fen
        yield row(line, hospital, zone)
    yield _totals(*sums)


def export(lines: Iterable[Line], out: BinaryIO, kind: Format, *, hospital: str, zone: ZoneInfo) -> Exported:
    """Write the file to `out`, streamed in constant memory; the same lines give the same bytes."""
    sums = [0, 0, 0]
    counted = _Counted(out)
    rows = _rows(lines, hospital, zone, sums)
    if kind is Format.CSV:
        _write_csv(rows, counted)
    else:
        _write_xlsx(rows, counted)
    return Exported(sums[0], sums[1], sums[2], counted.sha256)


def _write_csv(rows: Iterable[list[str | int]], out: _Counted) -> None:
    """UTF-8 with BOM and CRLF, as Excel wants."""
    out.write("\ufeff".encode())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for cells in rows:
        writer.writerow([_yuan(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)])
        out.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    out.write(text.getvalue().encode())


def _yuan(name: str, cell: str | int) -> str:
    if isinstance(cell, int) and name != "数量":
        return format_yuan(cell)
    return str(cell)


def _write_xlsx(rows: Iterable[list[str | int]], out: _Counted) -> None:
    import tempfile

    import xlsxwriter

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as whole:
        book = xlsxwriter.Workbook(
            whole, {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        )
        book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001  no time inside: the same rows give the same bytes
        sheet = book.add_worksheet("收费明细")
        head, text, money = (book.add_format(f) for f in ({"bold": True}, {"num_format": "@"}, {"num_format": "0.00"}))
        for at, name in enumerate(COLUMNS):
            sheet.write_string(0, at, name, head)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(COLUMNS) - 1, 16)
        for number, cells in enumerate(rows, start=1):
            for at, (name, cell) in enumerate(zip(COLUMNS, cells, strict=True)):
                if isinstance(cell, int):
                    sheet.write_number(number, at, cell if name == "数量" else cell / 100, None if name == "数量" else money)
                else:
                    sheet.write_string(number, at, cell, text)
        book.close()
        whole.seek(0)
        while piece := whole.read(1 << 18):
            out.write(piece)
