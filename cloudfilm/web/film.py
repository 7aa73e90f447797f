"""A proven patient's film: one document with status, picture, report and charges; who looked; the report itself.

The journal row is committed before anything private is sent; when it cannot be written, nothing is shown (SECURITY.md 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.exceptions import Forbidden, NotFound

from cloudfilm import clock
from cloudfilm.domain.person import mask_name
from cloudfilm.records import hospitals, journal, ledger, rates, reports, sessions, stacks, studies, visits
from cloudfilm.records.hospitals import Hospital
from cloudfilm.records.reports import Report
from cloudfilm.records.stacks import StackLine
from cloudfilm.records.visits import Visit

from . import filmsession, progress
from .address import client_address
from .fees import Fees, fees_of
from .filmsession import Film
from .installation import here
from .looks import Looks, looks_at
from .progress import Exam, ReportCard
from .viewer import Viewer, viewer_of

blueprint = Blueprint("film", __name__)

_ID_LENGTH = 32  # of a report in addresses: the beginning of its content's hash, which names nobody


@dataclass(frozen=True, slots=True)
class Page:
    """All that the film page says."""

    grant_id: str
    hospital: Hospital
    visit: Visit
    exams: tuple[Exam, ...]
    cards: tuple[ReportCard, ...]
    fees: Fees
    looks: Looks
    lines: tuple[StackLine, ...]
    viewer: Viewer | None

    @property
    def stage(self) -> progress.Stage:
        return progress.overall(self.exams)

    @property
    def arriving(self) -> tuple[int, int | None]:
        """Images received and expected over the arriving studies; None when a device did not say how many."""
        found = [exam for exam in self.exams if exam.stage is progress.Stage.UPLOAD]
        expected = [exam.expected for exam in found]
        return sum(exam.received for exam in found), None if None in expected else sum(n or 0 for n in expected)

    @property
    def signed_at(self) -> datetime | None:
        return max((card.report.signed_at for card in self.cards if card.report.signed_at), default=None)


def _read(c: Connection, film: Film) -> Page:
    """What the grant's visit shows now."""
    grant = film.grant
    visit = visits.get(c, grant.hospital, grant.visit_id)
    hospital = hospitals.get(c, grant.hospital)
    if visit is None or hospital is None:
        raise NotFound
    found = studies.of_visit(c, grant.hospital, visit.id)
    lines: Sequence[StackLine] = stacks.of_visit(c, grant.hospital, visit.id) if grant.can_view else []
    versions = reports.of_visit(c, grant.hospital, visit.id) if grant.can_report else []
    cards = progress.report_cards(versions, found)
    exams = progress.exams(visits.orders_of_visit(c, grant.hospital, visit.id), found, lines, cards)
    return Page(
        grant_id=grant.id,
        hospital=hospital,
        visit=visit,
        exams=tuple(exams),
        cards=tuple(cards),
        fees=fees_of(ledger.of_visit(c, grant.hospital, visit.id), rates.cards(c, grant.hospital)),
        looks=looks_at(c, visit, found),
        lines=tuple(lines),
        viewer=viewer_of(c, grant.id, visit, lines),
    )


def _note(film: Film, action: str) -> None:
    """Write and commit the journal row of what is about to be shown."""
    now = clock.now()
    with here().database.write() as c:
        journal.write(
            c,
            hospital=film.grant.hospital,
            actor=f"grant:{film.grant.id}",
            action=action,
            object=f"visit:{film.grant.visit_id}",
            address=client_address(),
            now=now,
        )


def _render(template: str, page: Page, **context: object) -> str:
    return render_template(
        template,
        page=page,
        hospital=page.hospital.name,
        phone=page.hospital.phone,
        masked_name=mask_name(page.visit.name),
        report_id=report_id,
        wechat="MicroMessenger" in request.headers.get("User-Agent", ""),
        **context,
    )


def report_id(report: Report) -> str:
    """How a report version is named in addresses."""
    return report.content[:_ID_LENGTH]


@blueprint.get("/f/<grant>")
def film(grant: str) -> ResponseReturnValue:
    """The film page."""
    seen = filmsession.film()
    with here().database.read() as c:
        page = _read(c, seen)
    _note(seen, "film-look")
    return _render("patient/film.html", page)


@blueprint.get("/f/<grant>/access")
def access(grant: str) -> ResponseReturnValue:
    """Who looked, and what was charged."""
    seen = filmsession.film()
    with here().database.read() as c:
        page = _read(c, seen)
    _note(seen, "access-look")
    return _render("patient/access.html", page)


@blueprint.post("/f/<grant>/leave")
def leave(grant: str) -> ResponseReturnValue:
    """End this browser's session of the film."""
    seen = filmsession.film()
    now = clock.now()
    with here().database.write() as c:
        sessions.end(c, seen.session.id, now)
        hospital = hospitals.get(c, seen.grant.hospital)
    response = make_response(render_template("patient/left.html", hospital=hospital.name if hospital else ""))
    filmsession.forget(response, grant)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _report(film: Film, wanted: str) -> tuple[Page, ReportCard, Report]:
    """A version that the patient may read: the one in force or an older one that was shown; raises NotFound."""
    if not film.grant.can_report:
        raise Forbidden
    with here().database.read() as c:
        page = _read(c, film)
    for card in page.cards:
        for version in (card.report, *card.older):
            if report_id(version) == wanted:
                return page, card, version
    raise NotFound


@blueprint.get("/f/<grant>/reports/<report>")
def report(grant: str, report: str) -> ResponseReturnValue:
    """One version: its words, its pages as pictures, its PDF."""
    seen = filmsession.film()
    page, card, version = _report(seen, report)
    _note(seen, "report-look")
    return _render("patient/report.html", page, card=card, version=version)


@blueprint.get("/f/<grant>/reports/<report>/<int:number>.webp")
def report_page(grant: str, report: str, number: int) -> ResponseReturnValue:
    """Picture of page `number`, counted from 1. The look was written when the page that shows it was sent, or is written now."""
    seen = filmsession.film()
    _, _, version = _report(seen, report)
    if not 1 <= number <= len(version.pages):
        raise NotFound
    _note(seen, "report-look")
    return Response(here().archive.read(version.pages[number - 1]["key"]), mimetype="image/webp")


@blueprint.get("/f/<grant>/reports/<report>/report.pdf")
def report_pdf(grant: str, report: str) -> ResponseReturnValue:
    """The PDF as the hospital made it. Its file name names nobody."""
    seen = filmsession.film()
    if not seen.grant.can_download:
        raise Forbidden
    _, _, version = _report(seen, report)
    if version.pdf_key is None:
        raise NotFound
    _note(seen, "report-download")
    response = Response(here().archive.read(version.pdf_key), mimetype="application/pdf")
    # RFC 5987: an ASCII name for old browsers, 检查报告.pdf for the others.
    response.headers["Content-Disposition"] = (
        "attachment; filename=\"report.pdf\"; filename*=UTF-8''%E6%A3%80%E6%9F%A5%E6%8A%A5%E5%91%8A.pdf"
    )
    return response
