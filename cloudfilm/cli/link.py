"""`cloudfilm link issue|list|revoke`: links from the command line, as the desk has them on its page."""

import json
import secrets

import click

from cloudfilm import clock
from cloudfilm.domain import token
from cloudfilm.domain.challenge import Challenge

from .site import Refused, Site


@click.group()
def link() -> None:
    """Issue, list and revoke links."""


@link.command()
@click.option("--visit", help="Visit id (就诊流水号).")
@click.option("--accession", help="Accession number (检查号).")
@click.option("--study", help="Study Instance UID.")
@click.option("--days", type=click.IntRange(1, 1095), help="Life of a new link; default CLOUDFILM_LINK_DAYS.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
def issue(visit: str | None, accession: str | None, study: str | None, days: int | None, as_json: bool) -> None:
    """Issue the receipt link of a visit; when one is in force, it is told again and nothing new is made."""
    from cloudfilm.records import grants, journal, visits

    if sum(value is not None for value in (visit, accession, study)) != 1:
        raise click.UsageError("Give exactly one of --visit, --accession, --study.")
    site = Site()
    now = clock.now()
    with site.database.write() as c:
        found = visits.get(c, site.settings.hospital, _visit_id(c, site, visit, accession, study))
        if found is None:
            raise Refused("There is no such visit in the records (yet); check the number, or wait until the order has arrived.")
        pin = None
        grant = grants.receipt_of(c, site.settings.hospital, found.id, now)
        action = "link-reprint"
        if grant is None:
            issued = grants.issue(
                c,
                found,
                days=days or site.settings.link_days,
                key_id=site.keys.link_current,
                pepper=site.keys.pepper,
                issued_by="command line",
                now=now,
            )
            grant, pin, action = issued.grant, issued.pin, "link-issue"
        journal.write(c, hospital=found.hospital, actor="system:command-line", action=action, object=f"grant:{grant.id}", now=now)
    text = token.mint(grant_id=grant.id, expires_at=grant.token_expires_at, key_id=grant.key_id, key=site.keys.link[grant.key_id])
    told = {"id": grant.id, "url": f"{site.settings.url}/v/{text}", "challenge": grant.challenge}
    if pin:
        told["answer"] = pin
    told["expires_at"] = grant.expires_at.isoformat()
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    print(told["url"])
    print(f"asks for: {_WORDS[Challenge(grant.challenge)]}" + (f" — the PIN is {pin}, told only now" if pin else ""))
    print(f"valid until {grant.expires_at.astimezone(site.settings.timezone):%Y-%m-%d %H:%M}")


_WORDS = {
    Challenge.PHONE_LAST_4: "last 4 digits of the registered phone",
    Challenge.ID_LAST_6: "last 6 characters of the ID number",
    Challenge.ID_LAST_4: "last 4 characters of the ID number",
    Challenge.BIRTH_DATE: "birth date, 8 digits",
    Challenge.PIN: "a PIN",
}


def _visit_id(c, site: Site, visit: str | None, accession: str | None, study: str | None) -> str:  # type: ignore[no-untyped-def]
    from cloudfilm.records import studies, visits

    if visit is not None:
        return visit
    if accession is not None:
        order = visits.order_of_accession(c, site.settings.hospital, accession)
        if order is not None:
            return order.visit_id
        tied = [s.visit_id for s in studies.by_accession(c, site.settings.hospital, accession) if s.visit_id]
        if len(set(tied)) > 1:
            raise Refused("Several visits share this accession number; give --study or --visit instead.")
        return tied[0] if tied else ""
    found = studies.by_uid(c, site.settings.hospital, study or "")
    return (found.visit_id or "") if found else ""


@link.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_links(as_json: bool) -> None:
    """The hospital's links, newest first (no link text: it opens a door)."""
    from cloudfilm.records import grants

    site = Site()
    now = clock.now()
    with site.database.read() as c:
        found = grants.of_hospital(c, site.settings.hospital)
    for grant in found:
        told = {
            "id": grant.id,
            "visit": grant.visit_id,
            "kind": grant.kind,
            "state": grant.standing(now).value,
            "challenge": grant.challenge,
            "created_at": grant.created_at.isoformat(),
            "expires_at": grant.expires_at.isoformat(),
        }
        print(json.dumps(told, ensure_ascii=False) if as_json else "  ".join(str(value) for value in told.values()))


@link.command()
@click.argument("grant_id", metavar="ID")
@click.option("--reason", default="desk", show_default=True, help="Kept with the grant and in the journal.")
def revoke(grant_id: str, reason: str) -> None:
    """End a link and every session it opened, at once and for good."""
    from cloudfilm.records import grants, journal

    site = Site()
    now = clock.now()
    with site.database.write() as c:
        if not grants.revoke(c, site.settings.hospital, grant_id, reason=reason[:64], now=now):
            raise Refused("There is no such link in force; nothing was changed.")
        journal.write(
            c,
            hospital=site.settings.hospital,
            actor="system:command-line",
            action="link-revoke",
            object=f"grant:{grant_id}",
            reason=reason[:200],
            now=now,
        )
    print(f"revoked {grant_id}")


def fresh_password() -> str:
    """Sixteen characters that can be read aloud."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(16))
