"""`cloudfilm finance export`: the same file as from finance's page."""

import json
from datetime import date, datetime
from pathlib import Path

import click

from cloudfilm import clock

from .site import Refused, Site


@click.group()
def finance() -> None:
    """Export billing."""


_DAY = click.DateTime(formats=["%Y-%m-%d"])


@finance.command()
@click.option("--from", "first", type=_DAY, required=True, metavar="D", help="First service date, YYYY-MM-DD.")
@click.option("--to", "last", type=_DAY, required=True, metavar="D", help="Last service date, inclusive.")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="F", help="File to write.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
def export(first: datetime, last: datetime, kind: str, out: Path, as_json: bool) -> None:
    """Write the ledger entries of a period, one row each, with a totals row; the export is journaled."""
    from cloudfilm.documents import billing
    from cloudfilm.records import journal, ledger

    site = Site()
    s, days = site.settings, (first.date(), last.date())
    if days[0] > days[1]:
        raise Refused("--from is later than --to; nothing was written.")
    beside = out.with_name(f".{out.name}.part")
    try:
        with beside.open("wb") as file, site.database.read() as c:
            lines = ledger.lines(c, s.hospital, *days)
            done = billing.export(lines, file, billing.Format(kind), hospital=s.hospital_name, zone=s.timezone)
    except OSError as error:
        raise Refused(f"{out} cannot be written ({error.strerror}); nothing was exported.") from error
    with site.database.write() as c:
        journal.write(
            c,
            hospital=s.hospital,
            actor="system:command-line",
            action="finance-export",
            object=f"period:{_span(days)}",
            reason=f"{kind} {done.entries} entries {done.amount_fen} fen sha256 {done.sha256}",
            now=clock.now(),
        )
    beside.rename(out)
    told = {"out": str(out), "entries": done.entries, "amount_fen": done.amount_fen, "sha256": done.sha256}
    print(json.dumps(told) if as_json else f"{out}: {done.entries} entries, {done.amount_fen / 100:.2f} yuan, sha256 {done.sha256}")


def _span(days: tuple[date, date]) -> str:
    return f"{days[0].isoformat()}..{days[1].isoformat()}"
