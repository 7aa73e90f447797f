"""The film's stage on a real HTTP server, fed by the real imaging room: what the browser tests open.

    python -m tests.viewer.page FOLDER...     serves one stack or more a folder of DICOM files and prints the address

Not the product's site: no records, no link, no right. Everything the phone computes with is the product's own.
"""

import base64
import json
import re
import secrets
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, g, render_template_string, request
from werkzeug.serving import WSGIRequestHandler, make_server

from cloudfilm.imaging.series import build_series
from cloudfilm.records.stacks import Stack, StackLine
from cloudfilm.registrar.stackrows import stacks_of
from cloudfilm.web import catalogue, headers, staticfiles
from cloudfilm.web.viewer import Viewer, voi_values

ROOT = Path(__file__).resolve().parents[2]
GRANT = "0" * 32

_PAGE = (Path(__file__).parent / "film.html").read_text("utf-8")


@dataclass
class Film:
    """Stacks as the site keeps them, their bytes, and what was asked. Test doors: `spoil`, `refuse`."""

    stacks: list[Stack]
    objects: dict[str, bytes]
    files: list[list[Path]]  # of each series, in stack order
    manifest: dict[str, Any]
    asked: list[tuple[str, str]] = field(default_factory=list)  # (path, Range header)
    spoil: Callable[[str, int, bytes], bytes] = lambda key, at, data: data
    refuse: Callable[[str], bool] = lambda path: False
    gate: threading.Event | None = None  # when set, an unranged preview stops half way until the event

    def stack(self, stack_id: str) -> Stack:
        return next((stack for stack in self.stacks if stack.id == stack_id), None) or abort(404)


def film_of(series: list[list[Path]], out: Path) -> Film:
    """Build every series and lay its objects beside each other."""
    objects: dict[str, bytes] = {}
    built = []
    for number, files in enumerate(series):
        folder = out / str(number)
        folder.mkdir(parents=True)
        entry = build_series(files, folder, lambda done: None)
        entry["exact"]["key"] = f"{number}/exact"
        objects[f"{number}/exact"] = (folder / "exact").read_bytes()
        for stack in entry["stacks"]:
            key = stack["preview"]["key"] = f"{number}/{stack['n']}.preview"
            objects[key] = (folder / f"{stack['n']}.preview").read_bytes()
        built.append(entry)
    manifest = {"hospital": "h", "study_key": "s", "revision": "0" * 64, "series": built}
    return Film(list(stacks_of(manifest)), objects, series, manifest)


def _urls(stack: Stack) -> dict[str, str]:
    at = f"/f/{GRANT}/series"
    own = f"{at}/{stack.id}"
    return {"preview": f"{own}/preview", "index": f"{own}/index", "thumb": f"{own}/thumb", "exact": f"{at}/{stack.content_id}/exact"}


def _viewer(film: Film, lang: str) -> Viewer:
    """As web/viewer.py makes it from records."""
    first, *others = film.stacks
    head = {**json.loads(first.head), **_urls(first)}
    brief = [
        {"id": s.id, "title": s.title, "count": s.count, "modality": s.modality, "index": _urls(s)["index"], "thumb": _urls(s)["thumb"]}
        for s in others
    ]
    data = {"grant": GRANT, "lang": lang, "stacks": [head, *brief], "open": 0}
    lines = tuple(StackLine(s.study_key, s.position, s.id, s.title, s.modality, s.count) for s in film.stacks)
    return Viewer(data, first.keyframe, voi_values(head), head, lines)


def app_of(film: Film) -> Flask:
    """The page and the bytes, with the site's own content security policy, words and style sheets."""
    app = Flask("stage", template_folder=str(ROOT / "templates"), static_folder=None)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    words = {"en": catalogue.read(ROOT / "cloudfilm/web/translations/en/LC_MESSAGES/messages.po"), "zh-CN": catalogue.Catalogue({})}
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: words[g.lang].gettext(message), lambda one, many, n: words[g.lang].ngettext(one, many, n), newstyle=True
    )
    app.jinja_env.globals["csp_nonce"] = headers.nonce
    staticfiles.serve(app, ROOT / "static")

    def send(key: str) -> Response:
        data = film.objects[key]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        start, end = (int(asked[1]), int(asked[2] or len(data) - 1) + 1) if asked else (0, len(data))
        part = film.spoil(key, start, data[start:end])
        body = _halted(part, film.gate) if film.gate and not asked and key.endswith("preview") else part
        response = Response(body, 206 if asked else 200, mimetype="application/octet-stream")
        if asked:
            response.headers["Content-Range"] = f"bytes {start}-{min(end, len(data)) - 1}/{len(data)}"
        response.headers["ETag"] = '"x"'
        return response

    @app.before_request
    def _note() -> None:
        film.asked.append((request.path, request.headers.get("Range", "")))
        g.lang = "en" if request.args.get("lang") == "en" else "zh-CN"
        if film.refuse(request.path):
            abort(503)

    @app.after_request
    def _policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = headers.content_security_policy(g.get("nonce", ""))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.get("/")
    def page() -> str:
        context = {"lang": g.lang, "care": False, "hospital": "青澜市中心医院", "masked_name": "沈*兰", "viewer_date": "2026-11-23"}
        return render_template_string(_PAGE, viewer=_viewer(film, g.lang), **context)

    @app.get("/f/<grant>/series/<name>/<part>")
    def part(grant: str, name: str, part: str) -> Response:
        if part == "exact":
            return send(next(s.exact_key for s in film.stacks if s.content_id == name))
        stack = film.stack(name)
        if part == "preview":
            return send(stack.preview_key)
        if part == "thumb":
            return Response(base64.b64decode(stack.thumb), mimetype="image/webp")
        value = {"head": {**json.loads(stack.head), **_urls(stack)}, "keyframe": stack.keyframe, "frames": json.loads(stack.frames)}
        return Response(json.dumps(value), mimetype="application/json")

    return app


def _halted(data: bytes, gate: threading.Event) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    gate.wait(60)
    yield data[len(data) // 2 :]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def serving(film: Film) -> Iterator[str]:
    """The address of the page while the block runs."""
    server = make_server("127.0.0.1", 0, app_of(film), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, name=f"stage-{secrets.token_hex(2)}", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()


def unpacked(study: Path, folder: Path) -> list[Path]:
    """The DICOM files of a `dicom.tar.xz`."""
    with tarfile.open(study / "dicom.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return sorted(p for p in folder.rglob("*") if p.is_file())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        given = [sorted(p for p in Path(name).rglob("*") if p.is_file()) for name in sys.argv[1:]]
        with serving(film_of(given, Path(scratch))) as address:
            print(address, flush=True)
            threading.Event().wait()
