"""Who of the staff is logged in: a server-side session, checked against the role of the policy's rule on every request."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cloudfilm import clock
from cloudfilm.records import sessions, staff
from cloudfilm.records.sessions import Kind
from cloudfilm.records.staff import Member, Role

from . import cookies
from .installation import here
from .policy import Rule

COOKIE = "staff"
TOUCH_EVERY = timedelta(seconds=60)
_ALWAYS = ("staff.password", "staff.logout")  # what a member whose password must change may still do


@dataclass(frozen=True, slots=True)
class Here:
    """The member behind this request."""

    member: Member
    session_id: str

    @property
    def actor(self) -> str:
        """How the journal names the member."""
        return f"staff:{self.member.id}"


def guard(rule: Rule) -> ResponseReturnValue | None:
    """Let a member with one of the rule's roles pass; others are sent to the login, or refused when it is not their page."""
    now = clock.now()
    cookie = cookies.read(COOKIE)
    with here().database.read() as c:
        session = sessions.find(c, here().keys.pepper, cookie, Kind.STAFF, now) if cookie else None
        member = staff.get(c, session.hospital, session.staff_id) if session and session.staff_id else None
    if session is None or member is None or member.disabled_at is not None:
        return redirect(url_for("staff.login"), 303)
    if Role(member.role) not in rule.roles:
        return render_template("staff/refused.html", member=member), 403
    if member.must_change and request.endpoint not in _ALWAYS:
        return redirect(url_for("staff.password"), 303)
    if now - session.seen_at > TOUCH_EVERY:
        with here().database.write() as c:
            sessions.touch(c, session.id, now)
    g.staff = Here(member, session.id)
    return None


def me() -> Here:
    """The member of this request, after the guard."""
    found: Here = g.staff
    return found


def forget(response: Response) -> None:
    cookies.drop(response, COOKIE)
