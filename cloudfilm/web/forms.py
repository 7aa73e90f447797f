"""Cross-site request forgery: every form carries a token tied to a random cookie of the browser; every POST is checked before its view.

The token is masked anew for each answer, so that compression says nothing about it (BREACH).
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest

from . import cookies
from .installation import here

FIELD = "csrf"
_COOKIE = "visitor"
_SIZE = 32


class FormStale(BadRequest):
    """The form was not made for this browser, or its cookie is gone."""


def _expected(visitor: str) -> bytes:
    return hmac.new(here().keys.site, f"form\0{visitor}".encode(), hashlib.sha256).digest()


def token() -> str:
    """The value of the hidden field; templates call it as csrf_token()."""
    visitor = cookies.read(_COOKIE) or g.get("visitor", "")
    if not visitor:
        visitor = g.visitor = secrets.token_urlsafe(16)
    mask = secrets.token_bytes(_SIZE)
    masked = bytes(a ^ b for a, b in zip(mask, _expected(visitor), strict=True))
    return base64.urlsafe_b64encode(mask + masked).decode()


def _right(visitor: str, given: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(given)
    except (ValueError, binascii.Error):
        return False
    if not visitor or len(raw) != 2 * _SIZE:
        return False
    plain = bytes(a ^ b for a, b in zip(raw[:_SIZE], raw[_SIZE:], strict=True))
    return hmac.compare_digest(plain, _expected(visitor))


def check_every_post(app: Flask) -> None:
    @app.before_request
    def _check() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _right(cookies.read(_COOKIE), request.form.get(FIELD, "")):
            raise FormStale

    @app.after_request
    def _remember(response: Response) -> Response:
        if "visitor" in g:
            cookies.put(response, _COOKIE, g.visitor)
        return response
