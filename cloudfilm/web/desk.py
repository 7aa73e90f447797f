"""The desk (登记台): find a visit, issue or reprint its slip, revoke, replace and unlock it. Every act is journaled."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.exceptions import BadRequest, NotFound

from cloudfilm import clock
from cloudfilm.documents import qr, slip
from cloudfilm.documents.slip import CannotPrint, Paper, Slip
from cloudfilm.domain import token
from cloudfilm.domain.challenge import Challenge
from cloudfilm.domain.person import mask_name, search_key
from cloudfilm.records import grants, journal, reports, stacks, studies, visits
from cloudfilm.records.grants import Grant, Standing
from cloudfilm.records.visits import Visit

from . import progress, staffsession
from .installation import here
from .progress import Exam, Stage
from .shown import moment

blueprint = Blueprint("desk", __name__)

LIMIT = 50
DAYS = (30, 180, 365)
REASONS = ("lost", "wrong-person", "patient", "other")


@dataclass(frozen=True, slots=True)
class Row:
    """A visit in the list, with the state its patient sees and its slip."""

    visit: Visit
    exams: tuple[Exam, ...]
    stage: Stage
    grant: Grant | None
    standing: Standing | None


def _row(c: Connection, visit: Visit, now: datetime) -> Row:
    found = studies.of_visit(c, visit.hospital, visit.id)
    cards = progress.report_cards(reports.of_visit(c, visit.hospital, visit.id), found)
    lines = stacks.of_visit(c, visit.hospital, visit.id)
    exams = progress.exams(visits.orders_of_visit(c, visit.hospital, visit.id), found, lines, cards)
    issued = [g for g in grants.of_visit(c, visit.hospital, visit.id) if g.kind == "receipt"]
    grant = grants.receipt_of(c, visit.hospital, visit.id, now) or (issued[0] if issued else None)
    return Row(visit, tuple(exams), progress.overall(exams), grant, grant.standing(now) if grant else None)


@blueprint.route("/staff/desk", methods=["GET", "POST"])
def search() -> ResponseReturnValue:
    """The list, and the panel of the chosen visit. Names and numbers travel in the form, never in an address."""
    return _page(request.form.get("q", "")[:100], request.form.get("visit", "")[:64])


@blueprint.get("/staff/desk/slips/<grant_id>")
def chosen(grant_id: str) -> ResponseReturnValue:
    """The panel of the visit that a slip belongs to: where an act ends."""
    with here().database.read() as c:
        grant = grants.find(c, grant_id)
    if grant is None or grant.hospital != staffsession.me().member.hospital:
        raise NotFound
    return _page("", grant.visit_id, done=request.args.get("done", ""))


def _page(q: str, visit_id: str, *, done: str = "", pin: str = "") -> ResponseReturnValue:
    now, who = clock.now(), staffsession.me()
    hospital = who.member.hospital
    with here().database.read() as c:
        found = visits.search(c, hospital, q, LIMIT) if q.strip() else visits.recent(c, hospital)
        rows = [_row(c, visit, now) for visit in found]
        panel = next((row for row in rows if row.visit.id == visit_id), None)
        if visit_id and panel is None:
            visit = visits.get(c, hospital, visit_id)
            panel = _row(c, visit, now) if visit else None
    with here().database.write() as c:  # after the reading: no write lock while the list is made
        if q.strip():
            _journal(c, "desk-search", f"results:{len(rows)}", now)
        if panel is not None:
            _journal(c, "desk-look", f"visit:{panel.visit.id}", now)
    similar = _similar(rows, panel) if panel else 0
    printable = _slip(panel, panel.grant) if panel and panel.grant and _in_force(panel) else None
    return render_template(
        "desk/search.html",
        q=q,
        rows=rows,
        panel=panel,
        similar=similar,
        limit=LIMIT,
        days=sorted({*DAYS, here().settings.link_days}),
        default_days=here().settings.link_days,
        challenges=_challenges(panel.visit) if panel else [],
        done=done if done in ("issued", "revoked", "unlocked", "replaced") else "",
        pin=pin,
        code=short_code(panel.grant.id) if panel and panel.grant else "",
        paper=printable,
        qr=Markup(qr.svg(printable.url)) if printable else "",
    )


def _in_force(row: Row) -> bool:
    return row.standing in (Standing.LIVE, Standing.LOCKED)


def _challenges(visit: Visit) -> list[Challenge]:
    """What this visit can be asked, and a PIN, which can always be."""
    return [kind for kind in Challenge if kind.value in visit.proofs] + [Challenge.PIN]


def _similar(rows: list[Row], panel: Row) -> int:
    """How many other patients of the list begin with the same family name or have the same name."""
    key, mine = search_key(panel.visit.name), panel.visit.patient_id
    others = {row.visit.patient_id for row in rows if search_key(row.visit.name)[:1] == key[:1]} - {mine}
    return len(others)


def short_code(grant_id: str) -> str:
    """The slip's number as people say it: 8 characters that cannot be taken for each other, XXXX-XXXX."""
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    number = int(grant_id[:10], 16)
    text = "".join(alphabet[(number >> shift) & 31] for shift in range(35, -1, -5))
    return f"{text[:4]}-{text[4:]}"


def _journal(c: Connection, action: str, object_: str, now: datetime, reason: str = "") -> None:
    who = staffsession.me()
    journal.write(c, hospital=who.member.hospital, actor=who.actor, action=action, object=object_, reason=reason, now=now)


def _visit(c: Connection) -> Visit:
    visit = visits.get(c, staffsession.me().member.hospital, request.form.get("visit", "")[:64])
    if visit is None:
        raise NotFound
    return visit


def _back(grant: Grant | None, done: str) -> ResponseReturnValue:
    if grant is None:
        raise NotFound
    return redirect(url_for("desk.chosen", grant_id=grant.id, done=done), 303)


@blueprint.post("/staff/desk/issue")
def issue() -> ResponseReturnValue:
    """Issue the first slip of a visit, or replace the one in force (the old link dies at once)."""
    days, challenge = _asked()
    now = clock.now()
    with here().database.write() as c:
        visit = _visit(c)
        issued = grants.issue(
            c,
            visit,
            days=days,
            key_id=here().keys.link_current,
            pepper=here().keys.pepper,
            issued_by=staffsession.me().member.id,
            now=now,
            challenge=challenge,
        )
        replaced = [g for g in grants.of_visit(c, visit.hospital, visit.id) if g.kind == "receipt" and g.id != issued.grant.id]
        gone = [g for g in replaced if grants.revoke(c, visit.hospital, g.id, reason="replaced", now=now, replaced_by=issued.grant.id)]
        _journal(c, "link-issue", f"grant:{issued.grant.id}", now, reason=f"visit:{visit.id}")
        for old in gone:
            _journal(c, "link-revoke", f"grant:{old.id}", now, reason="replaced")
    if issued.pin:  # told once, on this answer: it is kept only as a hash
        return _page(request.form.get("q", "")[:100], visit.id, done="issued", pin=issued.pin)
    return _back(issued.grant, "replaced" if gone else "issued")


def _asked() -> tuple[int, Challenge | None]:
    try:
        days = int(request.form.get("days", ""))
        kind = request.form.get("challenge", "")
        challenge = Challenge(kind) if kind else None
    except ValueError as error:
        raise BadRequest from error
    if days not in DAYS and days != here().settings.link_days:
        raise BadRequest
    return days, challenge


@blueprint.post("/staff/desk/revoke")
def revoke() -> ResponseReturnValue:
    """End the slip in force, with a reason."""
    reason, now = request.form.get("reason", ""), clock.now()
    if reason not in REASONS:
        raise BadRequest
    with here().database.write() as c:
        visit = _visit(c)
        grant = grants.receipt_of(c, visit.hospital, visit.id, now)
        if grant is not None and grants.revoke(c, visit.hospital, grant.id, reason=reason, now=now):
            _journal(c, "link-revoke", f"grant:{grant.id}", now, reason=reason)
    return _back(grant, "revoked")


@blueprint.post("/staff/desk/unlock")
def unlock() -> ResponseReturnValue:
    """The clerk has seen the person and an ID: five new tries."""
    now = clock.now()
    with here().database.write() as c:
        visit = _visit(c)
        grant = grants.receipt_of(c, visit.hospital, visit.id, now)
        if grant is not None and grants.unlock(c, visit.hospital, grant.id):
            _journal(c, "link-unlock", f"grant:{grant.id}", now)
    return _back(grant, "unlocked")


@blueprint.get("/staff/desk/slip/<grant_id>/<paper>.pdf")
def print_slip(grant_id: str, paper: str) -> ResponseReturnValue:
    """The slip as PDF. Printing again prints the same link."""
    now, who = clock.now(), staffsession.me()
    if paper not in set(Paper):
        raise NotFound
    with here().database.write() as c:
        grant = grants.find(c, grant_id)
        if grant is None or grant.hospital != who.member.hospital or grant.standing(now) not in (Standing.LIVE, Standing.LOCKED):
            raise NotFound
        visit = visits.get(c, grant.hospital, grant.visit_id)
        if visit is None:
            raise NotFound
        row = _row(c, visit, now)
        _journal(c, "link-print", f"grant:{grant.id}", now, reason=paper)
    try:
        data = slip.pdf(_slip(row, grant), Paper(paper))
    except CannotPrint as error:
        return render_template("desk/cannot_print.html", why=str(error)), 503
    return Response(data, mimetype="application/pdf", headers={"Content-Disposition": "inline; filename=slip.pdf"})


def _slip(row: Row, grant: Grant) -> Slip:
    site = here()
    key = site.keys.link.get(grant.key_id)
    if key is None:
        raise NotFound
    text = token.mint(grant_id=grant.id, expires_at=grant.token_expires_at, key_id=grant.key_id, key=key)
    return Slip(
        hospital=site.settings.hospital_name,
        phone=site.settings.hospital_phone,
        name=mask_name(row.visit.name),
        sex={"M": "男", "F": "女"}.get(row.visit.sex, row.visit.sex),
        exams=tuple(exam.title for exam in row.exams if exam.title),
        visit_date=row.visit.visit_date.isoformat(),
        accession_numbers=tuple(exam.accession_number for exam in row.exams if exam.accession_number),
        url=f"{site.settings.url}/v/{text}",
        challenge=Challenge(grant.challenge),
        pin="",
        valid_until=grant.expires_at.astimezone(site.settings.timezone).date().isoformat(),
        code=short_code(grant.id),
        printed=moment(clock.now()),
    )
