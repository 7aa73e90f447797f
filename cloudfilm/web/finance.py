"""Finance (财务): the entries of a period with their totals, the export, and the prices in force."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from cloudfilm import clock
from cloudfilm.documents import billing
from cloudfilm.domain.person import mask_name
from cloudfilm.records import journal, ledger, rates, visits
from cloudfilm.records.ledger import Kind

from . import staffsession
from .installation import here
from .shown import local

blueprint = Blueprint("finance", __name__)

PAGE = 50
_TYPES = {
    billing.Format.CSV: "text/csv; charset=utf-8",
    billing.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter. Days inclusive; `wrong`: what was typed was no date, so the month to date is shown."""

    first: date
    last: date
    kind: Kind | None
    wrong: bool


def _asked() -> Asked:
    today = local(clock.now()).date()
    first, last, wrong = today.replace(day=1), today, False
    try:
        first = date.fromisoformat(request.args["from"]) if request.args.get("from") else first
        last = date.fromisoformat(request.args["to"]) if request.args.get("to") else last
    except ValueError:
        wrong = True
    if first > last:
        first, last = last, first
    kind = request.args.get("kind", "")
    return Asked(first, last, Kind(kind) if kind in set(Kind) else None, wrong)


@blueprint.get("/staff/finance")
def entries() -> ResponseReturnValue:
    """One page of entries, the period's totals, and how many ordered visits have their film."""
    asked, now, hospital = _asked(), clock.now(), staffsession.me().member.hospital
    page = max(1, request.args.get("page", 1, type=int))
    with here().database.read() as c:
        total = ledger.totals(c, hospital, asked.first, asked.last, asked.kind)
        every = ledger.totals(c, hospital, asked.first, asked.last)
        charged = ledger.totals(c, hospital, asked.first, asked.last, Kind.CHARGE)
        ordered = visits.count_ordered(c, hospital, asked.first, asked.last)
        pages = max(1, -(-total.entries // PAGE))
        page = min(page, pages)
        offset = (page - 1) * PAGE
        lines = list(ledger.lines(c, hospital, asked.first, asked.last, kind=asked.kind, offset=offset, limit=PAGE))
    with here().database.write() as c:
        _journal(c, "finance-look", asked, now)
    return render_template(
        "finance/entries.html",
        asked=asked,
        total=total,
        charged=charged,
        credits_fen=every.amount_fen - charged.amount_fen,
        ordered=ordered,
        lines=lines,
        page=page,
        pages=pages,
        first_shown=offset + 1 if lines else 0,
        last_shown=offset + len(lines),
        kinds=list(Kind),
        state_word=billing.state_word,
        mask_name=mask_name,
        now=now,
    )


def _journal(c, action: str, asked: Asked, now: datetime, reason: str = "") -> None:  # type: ignore[no-untyped-def]
    who = staffsession.me()
    span = f"period:{asked.first.isoformat()}..{asked.last.isoformat()}"
    journal.write(c, hospital=who.member.hospital, actor=who.actor, action=action, object=span, reason=reason, now=now)


@blueprint.get("/staff/finance/export.<form>")
def export(form: str) -> ResponseReturnValue:
    """The whole period as a file. Journaled with filter, count, sum and hash before the first byte is sent."""
    if form not in set(billing.Format):
        raise NotFound
    asked, now, who = _asked(), clock.now(), staffsession.me()
    kind = billing.Format(form)
    out = tempfile.TemporaryFile()  # noqa: SIM115  the answer's body closes it
    with here().database.read() as c:
        lines = ledger.lines(c, who.member.hospital, asked.first, asked.last, kind=asked.kind)
        settings = here().settings
        done = billing.export(lines, out, kind, hospital=settings.hospital_name, zone=settings.timezone)
    size = out.tell()
    with here().database.write() as c:
        told = f"{kind} {asked.kind or 'all'} {done.entries} entries {done.amount_fen} fen sha256 {done.sha256}"
        _journal(c, "finance-export", asked, now, reason=told)
    name = f"cloudfilm-{asked.first.isoformat()}-{asked.last.isoformat()}.{kind}"
    headers = {"Content-Length": str(size), "Content-Disposition": f"attachment; filename={name}", "X-Content-SHA256": done.sha256}
    out.seek(0)
    return Response(_pieces(out), mimetype=_TYPES[kind].split(";")[0], content_type=_TYPES[kind], headers=headers)


def _pieces(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        while piece := out.read(1 << 16):
            yield piece


@blueprint.get("/staff/finance/rates")
def rate_cards() -> ResponseReturnValue:
    """The dated prices, the one in force marked."""
    today = local(clock.now()).date()
    with here().database.read() as c:
        cards = rates.cards(c, staffsession.me().member.hospital)
    return render_template("finance/rates.html", cards=cards, today=today)
