"""A page for every refusal. What a stranger sees never tells why; what a patient sees says what to do next."""

import logging

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from cloudfilm.archive.contract import ArchiveMissing, ArchiveUnavailable

from .filmsession import SessionEnded
from .link import LinkUnknown

log = logging.getLogger("cloudfilm.web")

_PAGES = {404: "errors/404.html", 410: "errors/410.html", 429: "errors/429.html", 503: "errors/503.html", 500: "errors/500.html"}
_OTHER = "errors/other.html"
RETRY_S = 30


class TooMany(Exception):
    """Too many wrong answers from this address block or from everybody: wait."""


def where() -> str:
    """The route of this request, without the values in it: what logs may hold."""
    return request.url_rule.rule if request.url_rule else "(no route)"


def render(status: int, **context: object) -> ResponseReturnValue:
    return render_template(_PAGES.get(status, _OTHER), status=status, **context), status


def answer_errors(app: Flask) -> None:
    @app.errorhandler(LinkUnknown)
    def _unknown(_error: LinkUnknown) -> ResponseReturnValue:
        return render_template("patient/unknown.html"), 404

    @app.errorhandler(SessionEnded)
    def _ended(_error: SessionEnded) -> ResponseReturnValue:
        return render_template("patient/again.html"), 403

    @app.errorhandler(TooMany)
    def _too_many(_error: TooMany) -> ResponseReturnValue:
        page, status = render_template(_PAGES[429], seconds=RETRY_S), 429
        return page, status, {"Retry-After": str(RETRY_S)}

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None or (error.code or 500) < 400:
            return error  # a redirect of the router
        answer = app.make_response(render(error.code or 500))
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(Exception)
    def _failed(error: Exception) -> ResponseReturnValue:
        away = isinstance(error, DBAPIError | PoolTimeout | ArchiveUnavailable | ArchiveMissing)
        log.error("request failed", exc_info=error, extra={"route": where(), "method": request.method})
        status = 503 if away else 500
        answer = app.make_response(render(status))
        if away:
            answer.headers["Retry-After"] = str(RETRY_S)
        return answer
