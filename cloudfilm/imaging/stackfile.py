"""One stack while it is made: first its scale from samples, then a preview for each frame as it passes, then its object and entry."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from cloudfilm.imaging import preview
from cloudfilm.imaging.facts import Facts
from cloudfilm.imaging.picture import CannotShow
from cloudfilm.imaging.reading import FrameReader
from cloudfilm.imaging.rendering import GreyScale, colours, grey_scale
from cloudfilm.imaging.stacks import Placed, StackPlan

_TABLE_SAMPLES_MAX = 64  # frames; every 10th of a long stack
_RATE_SAMPLES = 8
_SUBSAMPLE = 4
_SMALL = 128  # pictures up to this side are taken whole


class StackInTheMaking:
    """Holds compressed previews (about 10 KB a frame), no cells."""

    def __init__(self, plan: StackPlan, instances: list[Facts], reader: FrameReader) -> None:
        """Raises CannotShow when not one sampled frame can be decoded."""
        self.plan = plan
        self._instances = instances
        self._reader = reader
        first = instances[plan.frames[0].instance]
        self.first = first
        self._scale = None if first.colour else self._grey_scale()
        self._factor = preview.reduction(first.picture.rows, first.picture.cols)
        self._quality = preview.stack_quality([self._shown(p, c) for p, c in self._some(_RATE_SAMPLES)], len(plan.frames))
        self._slots = {(placed.instance, placed.frame): i for i, placed in enumerate(plan.frames)}
        self._previews: list[bytes] = [b""] * len(plan.frames)

    def wants(self, instance: int, frame: int) -> bool:
        return (instance, frame) in self._slots

    def add(self, instance: int, frame: int, cells: np.ndarray) -> None:
        """Make the preview of one frame."""
        slot = self._slots[instance, frame]
        self._previews[slot] = preview.webp(self._shown(self.plan.frames[slot], cells), self._quality)

    def finish(self, number: int, out: Path, new_index: dict[int, int]) -> dict[str, Any] | None:
        """Write `out/<number>.preview`, return the manifest's stack; None when no frame could be decoded.

        `new_index`: index of an instance in assemble()'s list -> index in the manifest's instances.
        """
        kept = [i for i, coded in enumerate(self._previews) if coded]
        if not kept:
            return None
        placed = [self.plan.frames[i] for i in kept]
        key = min(range(len(kept)), key=lambda k: (abs(kept[k] - self.plan.key), k))
        cells = self._reader.cells(placed[key].instance, placed[key].frame)
        shown = self._shown(placed[key], cells)
        key_webp, key_rows, key_cols = preview.key_frame(shown, self._quality)
        size, digest = _write(out / f"{number}.preview", preview.pvs1([self._previews[i] for i in kept], key))
        return {
            **self._described(number, placed, key),
            "prows": shown.shape[0],
            "pcols": shown.shape[1],
            "preview": {"size": size, "sha256": digest},
            "keyframe": base64.b64encode(key_webp).decode("ascii"),
            "kfrows": key_rows,
            "kfcols": key_cols,
            "thumb": base64.b64encode(preview.thumbnail(self._windowed(placed[key], cells))).decode("ascii"),
            "frames": [self._listed(p, new_index) for p in placed],
        }

    def _grey_scale(self) -> GreyScale:
        count = len(self.plan.frames)
        samples = self._some(min(_TABLE_SAMPLES_MAX, max(1, -(-count // 10)), count) if count > 20 else count)
        middle = min(range(len(samples)), key=lambda i: abs(self.plan.frames.index(samples[i][0]) - count // 2))
        thin = [(self._instances[p.instance].frames[p.frame], _thinned(cells)) for p, cells in samples]
        return grey_scale(self.first, self.plan.windows, thin, middle)

    def _some(self, wanted: int) -> list[tuple[Placed, np.ndarray]]:
        """So many frames, evenly spread, those that can be decoded; of a damaged stack, at least one that can."""
        count = len(self.plan.frames)
        chosen = sorted({i * count // wanted + count // wanted // 2 for i in range(min(wanted, count))})
        found = self._decoded(chosen)
        if not found:
            found = self._decoded([i for i in range(count) if i not in chosen], enough=1)
        if not found:
            raise CannotShow("Not one of its frames can be decoded.")
        return found

    def _decoded(self, chosen: list[int], enough: int = 1 << 30) -> list[tuple[Placed, np.ndarray]]:
        found: list[tuple[Placed, np.ndarray]] = []
        for index in chosen:
            placed = self.plan.frames[index]
            try:
                cells = self._reader.cells(placed.instance, placed.frame)
            except CannotShow:
                continue
            found.append((placed, cells))
            if len(found) == enough:
                break
        return found

    def _shown(self, placed: Placed, cells: np.ndarray) -> np.ndarray:
        """What the preview codes: codes of a grey frame, RGB of a colour one; reduced when it is large."""
        if self._scale is None:
            return preview.reduced(colours(self.first, cells), self._factor)
        codes = self._scale.codes(cells, self._instances[placed.instance].frames[placed.frame])
        return preview.reduced(codes, self._factor)

    def _windowed(self, placed: Placed, cells: np.ndarray) -> np.ndarray:
        if self._scale is None:
            return colours(self.first, cells)
        return self._scale.grey(cells, self._instances[placed.instance].frames[placed.frame])

    def _described(self, number: int, placed: list[Placed], key: int) -> dict[str, Any]:
        facts, plan, picture = self.first, self.plan, self.first.picture
        frame = facts.frames[plan.frames[0].frame]
        scale = self._scale
        lut: dict[str, Any] | None = None
        if facts.palette is not None:
            lut = facts.palette.listed()
        elif facts.lut is not None:
            values = np.asarray(facts.lut.values, "<u2").tobytes()
            lut = {"kind": "modality", "first": facts.lut.first, "values": base64.b64encode(values).decode("ascii")}
        return {
            "n": number,
            "title": plan.title,
            "modality": facts.header.modality,
            "count": len(placed),
            "key": key,
            "rows": picture.rows,
            "cols": picture.cols,
            "table": None if scale is None else [_number(v) for v in scale.table],
            "colour": facts.colour,
            "photometric": facts.photometric,
            "invert": facts.invert and not facts.colour,
            "bits": picture.stored,
            "high": picture.high,
            "signed": picture.signed,
            "samples": picture.samples,
            "slope": _number(frame.slope),
            "intercept": _number(frame.intercept),
            "unit": facts.unit,
            "lut": lut,
            "padding": list(facts.padding) if facts.padding else None,
            "windows": [] if scale is None else [window.listed() for window in scale.windows],
            "spacing": [round(v, 6) for v in frame.spacing] if frame.spacing else None,
            "spacing_source": facts.spacing_source.value,
            "aspect": facts.aspect,
            "thickness": frame.thickness,
            "gap": plan.gap,
            "even": plan.even,
            "order": plan.order.value,
            "orientation": [round(v, 6) for v in plan.orientation] if plan.orientation else None,
            "letters": list(plan.letters),
            "lossy": any(self._instances[p.instance].picture.lossy for p in placed),
            "frame_ms": facts.frame_ms,
        }

    def _listed(self, placed: Placed, new_index: dict[int, int]) -> list[Any]:
        frame = self._instances[placed.instance].frames[placed.frame]
        base = self.first.frames[self.plan.frames[0].frame]
        slope = None if frame.slope == base.slope else _number(frame.slope)
        intercept = None if frame.intercept == base.intercept else _number(frame.intercept)
        position = None if placed.position is None else round(placed.position, 3)
        return [new_index[placed.instance], placed.frame, position, slope, intercept]


def _thinned(cells: np.ndarray) -> np.ndarray:
    step = _SUBSAMPLE if max(cells.shape) > _SMALL else 1
    return np.ascontiguousarray(cells[::step, ::step])


def _number(value: float) -> float:
    return int(value) if value == int(value) else float(value)


def _write(path: Path, parts: Any) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as out:
        for part in parts:
            out.write(part)
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()
