"""Style sheets and scripts: read once, compressed once, under a name that holds the hash of them all, kept by the browser for a year.

`/static/<version>/<path>`: one version for all files, so that a script's relative imports stay true.
A bundle joins style sheets that one kind of page always needs: one request instead of three.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from .compression import compress

BUNDLES = {
    "page.css": ("css/tokens.css", "css/ui.css", "css/page.css"),
    "film.css": ("css/tokens.css", "css/ui.css", "css/page.css", "css/viewer.css"),
    "staff.css": ("css/tokens.css", "css/ui.css", "css/staff.css"),
    "slip.css": ("css/slip.css",),
}
_FOREVER = "public, max-age=31536000, immutable"
_KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file ready to send; `packed` None where compression does not help."""

    kind: str
    data: bytes
    packed: bytes | None


class StaticFiles:
    """All files of a folder, read at start-up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
        named = {p.relative_to(folder).as_posix(): p for p in paths}
        digest = hashlib.sha256()
        for name, path in named.items():
            digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
        self.version = digest.hexdigest()[:12]
        self._paths = named
        self._ready: dict[str, StaticFile] = {}

    def get(self, name: str) -> StaticFile:
        """Raises NotFound for a name that was not there at start-up."""
        if name not in self._ready:
            self._ready[name] = self._prepare(name)
        return self._ready[name]

    def _prepare(self, name: str) -> StaticFile:
        parts = BUNDLES.get(name, (name,))
        if any(part not in self._paths for part in parts):
            raise NotFound
        data = b"\n".join(self._paths[part].read_bytes() for part in parts)
        kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = compress(data) if kind.startswith("text/") or kind == "image/svg+xml" else None
        return StaticFile(kind, data, packed if packed and len(packed) < len(data) else None)


def serve(app: Flask, folder: Path) -> None:
    """Add the route and the template functions static_url(name) and static_text(name): a script inside the page."""
    files = StaticFiles(folder)

    def view(version: str, name: str) -> Response:
        found = files.get(name)
        gzipped = found.packed is not None and "gzip" in request.accept_encodings
        response = Response(found.packed if gzipped else found.data, content_type=found.kind)
        if found.kind.startswith("text/"):
            response.headers["Content-Type"] = f"{found.kind}; charset=utf-8"
        if gzipped:
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = _FOREVER if version == files.version else "no-cache"
        return response

    app.add_url_rule("/static/<version>/<path:name>", endpoint="static", view_func=view)
    app.jinja_env.globals["static_text"] = lambda name: Markup(files.get(name).data.decode())
    app.jinja_env.globals["static_url"] = lambda name: f"/static/{files.version}/{name}"
