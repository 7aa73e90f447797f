"""Text answers go gzip-compressed; bytes of pictures are small already."""

import gzip

from flask import Flask, Response, request

_KINDS = ("text/", "application/json", "image/svg+xml", "text/javascript")
_SMALLEST = 400


def compress(data: bytes) -> bytes:
    """gzip without a time in it: the same bytes give the same bytes."""
    return gzip.compress(data, compresslevel=9, mtime=0)


def compress_text(app: Flask) -> None:
    @app.after_request
    def _gzip(response: Response) -> Response:
        text = (response.mimetype or "").startswith(_KINDS)
        if text:
            response.vary.add("Accept-Encoding")
        wanted = text and "gzip" in request.accept_encodings
        if not wanted or response.is_streamed or response.status_code in (204, 206, 304) or "Content-Encoding" in response.headers:
            return response
        data = response.get_data()
        if len(data) >= _SMALLEST:
            response.set_data(compress(data))
            response.headers["Content-Encoding"] = "gzip"
        return response
