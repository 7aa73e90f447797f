"""What was charged for this visit, in words and fen, from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudfilm.domain.rates import RateCard
from cloudfilm.records.ledger import Entry, Kind


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One entry: `kind` is a ledger Kind's value, `name` the item's name on the rate card, `note` what the card says of it."""

    kind: str
    name: str
    note: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Fees:
    """All lines and their sum. `charged`: whether a charge stands at all (a price of zero counts)."""

    lines: tuple[FeeLine, ...]
    total_fen: int
    charged: bool


def fees_of(entries: Sequence[Entry], cards: Sequence[RateCard]) -> Fees:
    """Lines in the order of posting. Entries of 0 fen that are no charge concern hospital and provider only: left out."""
    by_version = {card.version: card for card in cards}
    lines = []
    for entry in entries:
        if entry.amount_fen == 0 and entry.kind != Kind.CHARGE:
            continue
        card = by_version.get(entry.rate_card)
        lines.append(FeeLine(entry.kind, card.name if card else entry.item, card.note if card else "", entry.amount_fen))
    return Fees(tuple(lines), sum(line.amount_fen for line in lines), any(line.kind == Kind.CHARGE for line in lines))
