"""Cookies: HttpOnly, SameSite=Lax, path /; on https also Secure and with the `__Host-` prefix, so that no other host can set them.

On plain http (loopback demo only) browsers refuse the prefix, so the plain name is used.
"""

from datetime import timedelta

from flask import Response, request

from .installation import here


def _name(name: str) -> str:
    return f"__Host-{name}" if here().https else name


def read(name: str) -> str:
    """The cookie's value, '' when there is none."""
    return request.cookies.get(_name(name), "")


def names(prefix: str) -> list[str]:
    """Names of the sent cookies that begin with `prefix`, oldest first (browsers send older ones first, RFC 6265 5.4)."""
    full = _name(prefix)
    return [_name_without_prefix(name) for name in request.cookies if name.startswith(full)]


def _name_without_prefix(name: str) -> str:
    return name.removeprefix("__Host-")


def put(response: Response, name: str, value: str, life: timedelta | None = None) -> None:
    """Set a cookie; without `life` it ends with the browser session."""
    response.set_cookie(_name(name), value, max_age=life, secure=here().https, httponly=True, samesite="Lax", path="/")


def drop(response: Response, name: str) -> None:
    response.delete_cookie(_name(name), secure=here().https, httponly=True, samesite="Lax", path="/")
