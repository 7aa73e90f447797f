"""Dated rate cards: which price was in force on a service date (BILLING.md 3). Prices are data; none is in code."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .money import AmountWrong, parse_yuan


class RateCardWrong(ValueError):
    """The file cannot be used; the text names the line and what is wanted."""


class Unit(StrEnum):
    """What one charge is for."""

    VISIT = "visit"
    EXAM = "exam"
    PATIENT_DAY = "patient_day"
    ADMISSION = "admission"


@dataclass(frozen=True, slots=True)
class RateCard:
    """One dated price. Dates are the hospital's local days, both ends inclusive; `valid_to` None: until the next."""

    item: str
    name: str
    unit: Unit
    patient_fen: int
    settlement_fen: int
    valid_from: date
    valid_to: date | None
    note: str

    @property
    def version(self) -> str:
        """What an entry quotes: item and first day."""
        return f"{self.item}@{self.valid_from.isoformat()}"

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


COLUMNS = ("item", "name", "unit", "patient_yuan", "settlement_yuan", "valid_from", "valid_to", "note")


def read_cards(text: str) -> list[RateCard]:
    """Cards of a CSV with the columns COLUMNS; raises RateCardWrong. Overlaps within an item are refused."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise RateCardWrong(f"line 1 must be {','.join(COLUMNS)}")
    cards = [_card(row, line) for line, row in enumerate(rows, start=2)]
    for first in cards:
        for other in cards:
            if first is not other and first.item == other.item and _overlap(first, other):
                raise RateCardWrong(f"two prices of {first.item} are in force on the same day ({other.valid_from})")
    return cards


def _overlap(a: RateCard, b: RateCard) -> bool:
    return a.covers(b.valid_from) or b.covers(a.valid_from)


def _card(row: dict[str, str], line: int) -> RateCard:
    try:
        return RateCard(
            item=row["item"].strip(),
            name=row["name"].strip(),
            unit=Unit(row["unit"].strip()),
            patient_fen=parse_yuan(row["patient_yuan"]),
            settlement_fen=parse_yuan(row["settlement_yuan"]),
            valid_from=date.fromisoformat(row["valid_from"].strip()),
            valid_to=date.fromisoformat(row["valid_to"].strip()) if row["valid_to"].strip() else None,
            note=row["note"].strip(),
        )
    except (AmountWrong, ValueError, AttributeError, TypeError) as error:
        raise RateCardWrong(f"line {line}: {error}") from error


def price_on(cards: Iterable[RateCard], day: date, unit: Unit) -> RateCard | None:
    """The card of `unit` in force on `day`; None: nothing is charged and finance is shown why."""
    return next((card for card in cards if card.unit is unit and card.covers(day)), None)
