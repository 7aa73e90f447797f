"""Who may call what: one table, endpoint -> rule. An endpoint without a rule, or a rule without an endpoint, stops the start.

The rule is enforced before the view runs, by the guard of its kind of visitor; no view opens a door itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from flask import Flask, request
from flask.typing import ResponseReturnValue

from cloudfilm.records.staff import Role


class Who(Enum):
    """Kinds of visitor."""

    ANYBODY = "anybody"
    LINK = "link"  # holds a link with a genuine signature
    FILM = "film"  # holds a live session of the grant in the address
    STAFF = "staff"  # has logged in, with one of the rule's roles


@dataclass(frozen=True, slots=True)
class Rule:
    """What a visitor must hold. `roles` count for STAFF only."""

    who: Who
    roles: frozenset[Role] = frozenset()


ANYBODY = Rule(Who.ANYBODY)
LINK = Rule(Who.LINK)
FILM = Rule(Who.FILM)


def staff(*roles: Role) -> Rule:
    """Only logged-in staff with one of these roles."""
    return Rule(Who.STAFF, frozenset(roles))


RULES: Mapping[str, Rule] = {
    "static": ANYBODY,
    "public.home": ANYBODY,
    "public.healthz": ANYBODY,
    "public.robots": ANYBODY,
    "patient.present": LINK,
    "patient.prove": LINK,
    "film.film": FILM,
    "film.access": FILM,
    "film.leave": FILM,
    "film.report": FILM,
    "film.report_page": FILM,
    "film.report_pdf": FILM,
    "series.preview": FILM,
    "series.index": FILM,
    "series.thumb": FILM,
    "series.exact": FILM,
    "staff.login": ANYBODY,
    "staff.home": staff(*Role),
    "staff.logout": staff(*Role),
    "staff.password": staff(*Role),
    "desk.search": staff(Role.DESK),
    "desk.chosen": staff(Role.DESK),
    "desk.issue": staff(Role.DESK),
    "desk.revoke": staff(Role.DESK),
    "desk.unlock": staff(Role.DESK),
    "desk.print_slip": staff(Role.DESK),
    "finance.entries": staff(Role.FINANCE),
    "finance.export": staff(Role.FINANCE),
    "finance.rate_cards": staff(Role.FINANCE),
}

Guard = Callable[[Rule], ResponseReturnValue | None]


class PolicyIncomplete(Exception):
    """The table above and the routes differ; the text names the endpoint."""


def enforce(app: Flask, guards: Mapping[Who, Guard]) -> None:
    """Check the table against the routes, then guard every request. Call it last in create_app."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    for name in sorted(endpoints ^ set(RULES)):
        what = "has no rule" if name in endpoints else "is in the table but has no route"
        raise PolicyIncomplete(f"The endpoint {name} {what}; correct RULES in cloudfilm/web/policy.py.")
    for name, rule in RULES.items():
        if rule.who is not Who.ANYBODY and rule.who not in guards:
            raise PolicyIncomplete(f"The endpoint {name} wants {rule.who.value}, for which there is no guard.")

    @app.before_request
    def _guard() -> ResponseReturnValue | None:
        if request.endpoint is None:  # no such route: the 404 page needs no right
            return None
        rule = RULES[request.endpoint]
        return None if rule.who is Who.ANYBODY else guards[rule.who](rule)
