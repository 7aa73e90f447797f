"""The door of a printed link: the signature is checked before anything is looked up (SECURITY.md 1, threat 1)."""

from flask import g, request
from flask.typing import ResponseReturnValue

from cloudfilm.domain import token
from cloudfilm.domain.token import Token

from .installation import here
from .policy import Rule


class LinkUnknown(Exception):
    """No genuine link: forged, cut short, signed with a struck key. All look the same."""


def guard(_rule: Rule) -> ResponseReturnValue | None:
    """Let a genuine token pass, as `presented()`; raises LinkUnknown before any query."""
    text = str((request.view_args or {}).get("text", ""))
    try:
        g.token = token.read(text, here().keys.link)
    except token.TokenForged as error:
        raise LinkUnknown from error
    return None


def presented() -> Token:
    """The genuine token of this request."""
    found: Token = g.token
    return found
