"""The bytes of a film: preview stacks, exact stacks, indexes, thumbnails. Single ranges, strong ETags, kept nowhere.

No journal row is written here: the session that opens these bytes began with one (film-open, in the same transaction).
"""

import base64
import json
from collections.abc import Iterator
from itertools import chain

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, NotFound, RequestedRangeNotSatisfiable

from cloudfilm.records import stacks
from cloudfilm.records.stacks import Stack

from . import byteranges, filmsession
from .installation import here
from .viewer import head_of

blueprint = Blueprint("series", __name__)

_AT_ONCE = 1 << 20  # bytes that are read before the answer begins; more is streamed


def _stack(stack_id: str) -> Stack:
    film = filmsession.film()
    if not film.grant.can_view:
        raise Forbidden
    with here().database.read() as c:
        found = stacks.one_of_visit(c, film.grant.hospital, film.grant.visit_id, stack_id)
    if found is None:
        raise NotFound
    return found


def _send(key: str, size: int, sha256: str) -> Response:
    """The asked part of an object, or all of it."""
    etag = f'"{sha256}"'
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        asked = ""
    try:
        span = byteranges.read(asked, size)
    except byteranges.RangeRefused as error:
        raise RequestedRangeNotSatisfiable(length=size) from error
    response = Response(_bytes(key, span), 200 if span.whole else 206, mimetype="application/octet-stream")
    response.headers["Content-Length"] = str(span.length)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    if not span.whole:
        response.headers["Content-Range"] = span.content_range
    return response


def _bytes(key: str, span: byteranges.Span) -> bytes | Iterator[bytes]:
    archive = here().archive
    if span.length <= _AT_ONCE:
        return archive.read(key, span.start, span.length)
    pieces = archive.open(key, span.start, span.length)
    first = next(pieces)  # what is missing must be known before the status line is sent
    return chain((first,), pieces)


@blueprint.get("/f/<grant>/series/<stack>/preview")
def preview(grant: str, stack: str) -> ResponseReturnValue:
    """The preview stack PVS1 (PIXELS.md 4)."""
    found = _stack(stack)
    return _send(found.preview_key, found.preview_size, found.preview_sha256)


@blueprint.get("/f/<grant>/series/<content>/exact")
def exact(grant: str, content: str) -> ResponseReturnValue:
    """The exact stack of a series (PIXELS.md 5)."""
    film = filmsession.film()
    if not film.grant.can_view:
        raise Forbidden
    with here().database.read() as c:
        found = stacks.exact_of_visit(c, film.grant.hospital, film.grant.visit_id, content)
    if found is None:
        raise NotFound
    return _send(found.exact_key, found.exact_size, found.exact_sha256)


@blueprint.get("/f/<grant>/series/<stack>/index")
def index(grant: str, stack: str) -> ResponseReturnValue:
    """Head, key frame and exact index of one stack (contracts.md 5)."""
    found = _stack(stack)
    value = {"head": head_of(grant, found), "keyframe": found.keyframe, "frames": json.loads(found.frames)}
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


@blueprint.get("/f/<grant>/series/<stack>/thumb")
def thumb(grant: str, stack: str) -> ResponseReturnValue:
    """96 x 96 picture of the key frame under its default window."""
    return Response(base64.b64decode(_stack(stack).thumb), mimetype="image/webp")
