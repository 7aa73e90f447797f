"""What a test does to the open page, and what the server would have drawn."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from cloudfilm.imaging.elements import read_elements
from cloudfilm.imaging.facts import facts_of
from cloudfilm.imaging.frames import frames_of
from cloudfilm.imaging.rendering import GreyScale, colours
from cloudfilm.imaging.windows import VoiFunction, Window

from .page import Film

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}

_CELLS = """async (i) => {
  const found = await window.film.exact(i);
  const cells = found.words ? Int32Array.from(found.words, (w) => w & 0xffffff) : Int32Array.from(found.samples, (s) => s + found.bias);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', cells.buffer));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}"""
_CANVAS = """() => {
  const canvas = document.querySelector('#canvas');
  const words = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return [canvas.height, canvas.width, Array.from(words, (w) => w & 0xffffff)];
}"""


def frame_file(film: Film, series: int, index: int) -> tuple[Path, int]:
    """(file, frame number) of frame `index` of the first stack of a series."""
    entry = film.manifest["series"][series]
    instance, number = entry["stacks"][0]["frames"][index][:2]
    wanted = entry["instances"][instance]["sha256"]
    return next(p for p in film.files[series] if hashlib.sha256(p.read_bytes()).hexdigest() == wanted), number


def drawn(film: Film, series: int, index: int, window: list[Any] | None = None) -> np.ndarray:
    """Red, green and blue of every pixel as the server draws the frame: rows x cols, B << 16 | G << 8 | R."""
    path, number = frame_file(film, series, index)
    elements = read_elements(path.read_bytes())
    facts, cells = facts_of(elements, ""), frames_of(elements).cells(number)
    if facts.colour:
        rgb = colours(facts, cells).astype(np.int64)
        return rgb[..., 0] | rgb[..., 1] << 8 | rgb[..., 2] << 16
    c, w, kind = (window or film.manifest["series"][series]["stacks"][0]["windows"][0])[:3]
    scale = GreyScale(facts, (Window(c, w, VoiFunction(kind)),), np.zeros(256))
    return scale.grey(cells, facts.frames[number]).astype(np.int64) * 0x10101


def cells_digest(film: Film, series: int, index: int) -> str:
    """sha-256 of the frame's cells (colour: of its RGB) as int32, little endian."""
    path, number = frame_file(film, series, index)
    elements = read_elements(path.read_bytes())
    if facts_of(elements, "").colour:
        return hashlib.sha256(drawn(film, series, index).astype("<i4").tobytes()).hexdigest()
    return hashlib.sha256(frames_of(elements).cells(number).astype("<i4").tobytes()).hexdigest()


class Stage:
    """An open page. Every wait is for a state, none for a time."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.asked_elsewhere: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("request", lambda request: self.asked_elsewhere.append(request.url))

    def open(self, url: str) -> "Stage":
        self.page.goto(url)
        self._wait("Boolean(window.film)")
        return self

    def state(self) -> dict[str, Any]:
        return dict(self.page.evaluate("window.film.state()"))

    def until(self, condition: str) -> None:
        """Wait for a condition over `s`, the viewer's state. (Playwright's own wait needs eval, which the page's policy forbids.)"""
        self._wait(f"(s => {condition})(window.film.state())")

    def _wait(self, expression: str) -> None:
        end = time.monotonic() + 30
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, (
                f"never came: {expression}; {self.page.evaluate('window.film && window.film.state()')} {self.errors}"
            )
            time.sleep(0.02)

    def exact_digest(self, index: int) -> str:
        return str(self.page.evaluate(_CELLS, index))

    def canvas(self) -> np.ndarray:
        rows, cols, words = self.page.evaluate(_CANVAS)
        return np.array(words, np.int64).reshape(rows, cols)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """touchStart, touchMove or touchEnd with these fingers down."""
        at = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    @property
    def session(self) -> Any:
        if not hasattr(self, "_session"):
            self._session = self.page.context.new_cdp_session(self.page)
        return self._session

    def middle(self) -> tuple[float, float]:
        box = self.page.locator("#stage").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def fingers(self, *tracks: list[tuple[float, float]]) -> None:
        """Fingers put down, moved through their tracks together, lifted."""
        self.touch("touchStart", *(track[0] for track in tracks))
        for places in zip(*(track[1:] for track in tracks), strict=True):
            self.touch("touchMove", *places)
        self.touch("touchEnd")


def line(start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> list[tuple[float, float]]:
    """Points from start to end."""
    return [(start[0] + (end[0] - start[0]) * n / steps, start[1] + (end[1] - start[1]) * n / steps) for n in range(steps + 1)]


def head_of(film: Film, series: int) -> dict[str, Any]:
    stack_id = f"{film.manifest['series'][series]['content_id']}-0"
    return dict(json.loads(film.stack(stack_id).head))
