"""The access log: which route, what came of it, how long it took. Never an address line: it holds tokens and ids."""

import logging
import time

from flask import Flask, Response, g, request

from .errors import where

log = logging.getLogger("cloudfilm.access")


def log_requests(app: Flask) -> None:
    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        if request.endpoint != "static":
            took_ms = round((time.perf_counter() - g.started) * 1000, 1) if "started" in g else None
            log.info(
                "request",
                extra={"route": where(), "method": request.method, "status": response.status_code, "ms": took_ms},
            )
        return response
