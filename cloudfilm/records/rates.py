"""Rate cards as they are kept: a card that priced an entry is never changed, only followed by the next."""

from sqlalchemy import Connection, select, update

from cloudfilm.domain.rates import RateCard, RateCardWrong, Unit

from .rows import insert_or_ignore
from .tables import ledger_entry, rate_card


def put(c: Connection, hospital: str, cards: list[RateCard]) -> None:
    """Take the cards of a file; raises RateCardWrong when one that priced entries would change (its end may be set)."""
    for card in cards:
        values = {
            "hospital": hospital,
            "item": card.item,
            "valid_from": card.valid_from,
            "valid_to": card.valid_to,
            "name": card.name,
            "unit": card.unit.value,
            "patient_fen": card.patient_fen,
            "settlement_fen": card.settlement_fen,
            "note": card.note,
        }
        if insert_or_ignore(c, rate_card, values):
            continue
        r = rate_card.c
        same = (r.hospital == hospital) & (r.item == card.item) & (r.valid_from == card.valid_from)
        kept = c.execute(select(rate_card).where(same)).one()
        fixed = ("unit", "patient_fen", "settlement_fen")
        if any(kept._mapping[name] != values[name] for name in fixed) and _used(c, hospital, card.version):
            raise RateCardWrong(f"{card.version} has priced entries already; add a new card with a later valid_from instead")
        c.execute(update(rate_card).where(same).values(**values))


def _used(c: Connection, hospital: str, version: str) -> bool:
    e = ledger_entry.c
    return c.execute(select(e.id).where(e.hospital == hospital, e.rate_card == version).limit(1)).first() is not None


def cards(c: Connection, hospital: str) -> list[RateCard]:
    """All cards of a hospital, newest first within an item."""
    r = rate_card.c
    query = select(rate_card).where(r.hospital == hospital).order_by(r.item, r.valid_from.desc())
    return [
        RateCard(m.item, m.name, Unit(m.unit), m.patient_fen, m.settlement_fen, m.valid_from, m.valid_to, m.note) for m in c.execute(query)
    ]
