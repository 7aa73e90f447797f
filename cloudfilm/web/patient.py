"""The door of a receipt: `GET /v/<token>` looks and changes nothing, `POST` takes an answer (SECURITY.md 1-3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from cloudfilm import clock
from cloudfilm.domain.challenge import LENGTHS, Challenge, normalise
from cloudfilm.domain.person import mask_name
from cloudfilm.records import failures, grants, hospitals, journal, visits
from cloudfilm.records.grants import Grant, Outcome, Standing
from cloudfilm.records.hospitals import Hospital
from cloudfilm.records.visits import Visit

from . import filmsession, link
from .address import client_address
from .errors import TooMany
from .installation import here

blueprint = Blueprint("patient", __name__)

_STATES = {
    Standing.LOCKED: ("patient/locked.html", 423),
    Standing.EXPIRED: ("patient/expired.html", 410),
    Standing.REVOKED: ("patient/revoked.html", 410),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A registered link with what its page may say before any proof: hospital, masked name, date."""

    grant: Grant
    visit: Visit
    hospital: Hospital
    known_device: bool

    @property
    def masked_name(self) -> str:
        return mask_name(self.visit.name)


def _find(c: Connection, now: datetime) -> Found | None:
    grant = grants.find(c, link.presented().grant_id)
    if grant is None:
        return None
    visit = visits.get(c, grant.hospital, grant.visit_id)
    hospital = hospitals.get(c, grant.hospital)
    if visit is None or hospital is None:
        return None
    return Found(grant, visit, hospital, filmsession.known_device(c, grant.id, now))


@blueprint.get("/v/<text>")
def present(text: str) -> ResponseReturnValue:
    """The page of a link's state; a device whose session still lives goes straight to its film."""
    now = clock.now()
    with here().database.read() as c:
        found = _find(c, now)
        alive = found is not None and filmsession.session_of(c, found.grant.id, now) is not None
    if found is None:
        return _not_registered(now)
    if alive and found.grant.standing(now) in (Standing.LIVE, Standing.LOCKED):
        return redirect(url_for("film.film", grant=found.grant.id), 303)
    return _page(found, now)


@blueprint.post("/v/<text>")
def prove(text: str) -> ResponseReturnValue:
    """Judge the answer; a right one opens the film in this browser."""
    now = clock.now()
    answer = request.form.get("answer", "")[:64]
    address = client_address()
    slow_down = False
    with here().database.write() as c:
        found = _find(c, now)
        if found is None:
            return _not_registered(now)
        if not _answerable(found, now):
            return _page(found, now)
        if normalise(Challenge(found.grant.challenge), answer) is None:
            return _page(found, now, wrong="empty")
        outcome = grants.prove(c, found.grant, answer, pepper=here().keys.pepper, known_device=found.known_device, now=now)
        _write(c, found, "proof", outcome.value, address, now)
        if outcome is Outcome.RIGHT:
            opened = filmsession.open_film(c, found.grant, now)
            grants.renew(c, found.grant, now + timedelta(days=here().settings.link_days))
            _write(c, found, "film-open", "ok", address, now)
        else:
            slow_down = failures.too_many(c, address, now)
            failures.note(c, address, now)
            found = _find(c, now) or found
    if outcome is Outcome.RIGHT:
        response = make_response(redirect(url_for("film.film", grant=found.grant.id), 303))
        opened.hand_to(response)
        return response
    if slow_down:
        raise TooMany
    return _page(found, now, wrong="wrong")


def _write(c: Connection, found: Found, action: str, result: str, address: str, now: datetime) -> None:
    journal.write(
        c,
        hospital=found.grant.hospital,
        actor=f"grant:{found.grant.id}",
        action=action,
        object=f"visit:{found.visit.id}",
        address=address,
        result=result,
        now=now,
    )


def _answerable(found: Found, now: datetime) -> bool:
    standing = found.grant.standing(now)
    return bool(found.grant.answer_digest) and (standing is Standing.LIVE or (standing is Standing.LOCKED and found.known_device))


def _not_registered(now: datetime) -> ResponseReturnValue:
    """Genuine, printed at the hospital, but its letter is not here yet: nobody is named."""
    if link.presented().expires_at <= now:
        return render_template("patient/expired.html", expires_at=link.presented().expires_at), 410
    return render_template("patient/waiting.html")


def _page(found: Found, now: datetime, wrong: str = "") -> ResponseReturnValue:
    told = {"hospital": found.hospital.name, "phone": found.hospital.phone}
    if _answerable(found, now):
        kind = Challenge(found.grant.challenge)
        page = render_template(
            "patient/challenge.html",
            **told,
            masked_name=found.masked_name,
            visit_date=found.visit.visit_date,
            expires_at=found.grant.expires_at,
            kind=kind.value,
            length=LENGTHS[kind],
            wrong=wrong,
            tries_left=None if found.known_device else found.grant.tries_left,
        )
        return page, 200 if not wrong else 422
    standing = found.grant.standing(now)
    if standing is Standing.LIVE:
        return render_template("patient/desk.html", **told)
    template, status = _STATES[standing]
    return render_template(template, **told, expires_at=found.grant.expires_at, revoked_at=found.grant.revoked_at), status
