"""Staff: log in, log out, change the password, and the way to one's own page."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cloudfilm import clock
from cloudfilm.records import failures, journal, sessions
from cloudfilm.records import staff as members
from cloudfilm.records.failures import Door
from cloudfilm.records.sessions import Kind
from cloudfilm.records.staff import Role, StaffRefused

from . import cookies, staffsession
from .address import client_address
from .errors import TooMany
from .installation import here

blueprint = Blueprint("staff", __name__)

_PAGES = {Role.DESK: "desk.search", Role.FINANCE: "finance.entries"}


@blueprint.get("/staff/")
def home() -> ResponseReturnValue:
    """To the page of one's role."""
    page = _PAGES.get(Role(staffsession.me().member.role))
    if page is None:
        return render_template("staff/nothing.html", member=staffsession.me().member)
    return redirect(url_for(page), 303)


@blueprint.route("/staff/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Staff number and password. Wrong ones are counted per account and per address; the answer never says which was wrong."""
    if request.method == "GET":
        return render_template("staff/login.html", wrong=False, user="")
    now, address = clock.now(), client_address()
    user, password = request.form.get("user", "").strip()[:64], request.form.get("password", "")[:200]
    hospital = here().settings.hospital
    with here().database.write() as c:
        slow_down = failures.too_many(c, address, now, Door.STAFF)
        member = None if slow_down else members.log_in(c, hospital, user, password, now)
        if member is not None:
            cookie = sessions.start(c, here().keys.pepper, hospital=hospital, kind=Kind.STAFF, now=now, staff_id=member.id)
        else:
            failures.note(c, address, now, Door.STAFF)
        known = member or members.get(c, hospital, user)
        actor = f"staff:{known.id}" if known else "staff:unknown"
        result = "ok" if member else "refused"
        journal.write(c, hospital=hospital, actor=actor, action="login", object="site", address=address, result=result, now=now)
    if slow_down:
        raise TooMany
    if member is None:
        return render_template("staff/login.html", wrong=True, user=user), 422
    response = make_response(redirect(url_for("staff.home"), 303))
    cookies.put(response, staffsession.COOKIE, cookie)
    return response


@blueprint.post("/staff/logout")
def logout() -> ResponseReturnValue:
    now, who = clock.now(), staffsession.me()
    with here().database.write() as c:
        sessions.end(c, who.session_id, now)
        journal.write(c, hospital=who.member.hospital, actor=who.actor, action="logout", object="site", now=now)
    response = make_response(redirect(url_for("staff.login"), 303))
    staffsession.forget(response)
    return response


@blueprint.route("/staff/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """A new password of one's own; the first one must change before anything else."""
    who = staffsession.me()
    if request.method == "GET":
        return render_template("staff/password.html", member=who.member, wrong="")
    now = clock.now()
    new, again = request.form.get("new", "")[:200], request.form.get("again", "")[:200]
    if new != again:
        return render_template("staff/password.html", member=who.member, wrong="differ"), 422
    if not who.member.must_change and not _still_oneself(request.form.get("old", "")[:200]):
        return render_template("staff/password.html", member=who.member, wrong="old"), 422
    try:
        with here().database.write() as c:
            members.change_password(c, who.member.hospital, who.member.id, new, now)
            journal.write(c, hospital=who.member.hospital, actor=who.actor, action="password", object=who.actor, now=now)
    except StaffRefused:
        wrong = "short" if len(new) < members.SHORTEST else "same"
        return render_template("staff/password.html", member=who.member, wrong=wrong, shortest=members.SHORTEST), 422
    response = make_response(redirect(url_for("staff.login"), 303))
    staffsession.forget(response)
    return response


def _still_oneself(password: str) -> bool:
    """Whether the person at the keyboard knows the member's password: a desk left open must not lose its account.

    Wrong ones count as at the login, so this is no second door for a guesser.
    """
    now, who = clock.now(), staffsession.me()
    with here().database.write() as c:
        right = members.log_in(c, who.member.hospital, who.member.id, password, now) is not None
        if not right:
            failures.note(c, client_address(), now, Door.STAFF)
            journal.write(c, hospital=who.member.hospital, actor=who.actor, action="password", object=who.actor, result="refused", now=now)
    return right
