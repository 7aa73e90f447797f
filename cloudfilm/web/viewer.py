"""What the film page gives the viewer: the first picture whole, the other stacks by name (contracts.md 5, PIXELS.md 7)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from flask import url_for
from sqlalchemy import Connection

from cloudfilm.records import stacks
from cloudfilm.records.stacks import Stack, StackLine
from cloudfilm.records.visits import Visit

from .language import language


@dataclass(frozen=True, slots=True)
class Viewer:
    """`data`: JSON value of <script id="film-data">; `keyframe`: base64 WebP of kfcols x kfrows; `voi`: tableValues of the SVG
    filter for the default window, '' for colour; `first` the Head of the open stack; `lines`: every stack, in order, for the strip."""

    data: dict[str, Any]
    keyframe: str
    voi: str
    first: dict[str, Any]
    lines: tuple[StackLine, ...]

    @property
    def json(self) -> str:
        """`data` for a <script> element: no `<` that could end it."""
        text = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def addresses(grant_id: str, stack_id: str, content_id: str) -> dict[str, str]:
    """URLs of one stack's bytes."""
    return {
        "preview": url_for("series.preview", grant=grant_id, stack=stack_id),
        "exact": url_for("series.exact", grant=grant_id, content=content_id),
        "index": url_for("series.index", grant=grant_id, stack=stack_id),
    }


def head_of(grant_id: str, stack: Stack) -> dict[str, Any]:
    """Head of a stack with its addresses."""
    return {**json.loads(stack.head), **addresses(grant_id, stack.id, stack.content_id)}


# What the first picture does not need: the first flight is small (the stack's index tells it).
_LATER = ("orientation", "order", "even", "gap", "spacing_source", "unit")


def _brief(grant_id: str, line: StackLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "title": line.title,
        "count": line.count,
        "modality": line.modality,
        "index": url_for("series.index", grant=grant_id, stack=line.id),
        "thumb": url_for("series.thumb", grant=grant_id, stack=line.id),
    }


def viewer_of(c: Connection, grant_id: str, visit: Visit, lines: Sequence[StackLine]) -> Viewer | None:
    """None when the visit shows no picture (yet)."""
    first = stacks.one_of_visit(c, visit.hospital, visit.id, lines[0].id) if lines else None
    if first is None:
        return None
    head = {name: value for name, value in head_of(grant_id, first).items() if name not in _LATER}
    listed = [head, *(_brief(grant_id, line) for line in lines[1:])]
    data = {"grant": grant_id, "lang": language(), "stacks": listed, "open": 0}
    return Viewer(data, first.keyframe, voi_values(head), head, tuple(lines))


def voi_values(head: Mapping[str, Any]) -> str:
    """Grey 0..1 of preview codes 0, 3 .. 255 under the first window: `tableValues` of feFuncR/G/B (type table: linear between them).

    PS3.3 C.11.2.1. A third of the codes is enough for the moment until the script draws, and is 0.25 KB less in the first answer.
    """
    table = head.get("table")
    if not table or head.get("colour"):
        return ""
    windows = head.get("windows") or [[(min(table) + max(table)) / 2, max(table) - min(table) + 1, "LINEAR", ""]]
    centre, width, function = windows[0][:3]
    greys = [_grey(value, centre, width, function) for value in table[::3]]
    return " ".join(_short(1 - grey if head.get("invert") else grey) for grey in greys)


def _grey(value: float, centre: float, width: float, function: str) -> float:
    if function == "SIGMOID":
        return 1 / (1 + exp(min(700.0, -4 * (value - centre) / max(width, 1e-9))))
    if function == "LINEAR_EXACT":
        grey = (value - centre) / width + 0.5 if width > 0 else float(value > centre)
    else:
        grey = (value - (centre - 0.5)) / (width - 1) + 0.5 if width > 1 else float(value > centre - 0.5)
    return min(1.0, max(0.0, grey))


def _short(grey: float) -> str:
    return f"{grey:.3f}".rstrip("0").rstrip(".").replace("0.", ".") or "0"
