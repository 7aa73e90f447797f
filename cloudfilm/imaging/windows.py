"""VOI windows and the one grey rule: floor, byte for byte what DCMTK draws (PIXELS.md 2, PS3.3 C.11.2)."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cloudfilm.imaging.charset import decode_text
from cloudfilm.imaging.elements import Elements

WINDOWS_MAX = 16


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width in modality units (HU for CT)."""

    centre: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    name: str = ""

    def listed(self) -> list[float | str]:
        """As the manifest keeps it."""
        return [_short(self.centre), _short(self.width), self.function.value, self.name]


def windows_of(elements: Elements, charset: tuple[str, ...] = ()) -> tuple[Window, ...]:
    """The windows an instance or a Frame VOI LUT item offers, the default first. A width that is no window (0, nan) is left out."""
    centres, widths = elements.reals(0x00281050), elements.reals(0x00281051)
    names, _ = decode_text(elements.raw(0x00281055)[:1024], charset)
    labels = [label.strip() for label in names.split("\\")]
    try:
        function = VoiFunction(elements.text(0x00281056) or "LINEAR")
    except ValueError:
        function = VoiFunction.LINEAR
    found = []
    for number, (centre, width) in enumerate(zip(centres[:WINDOWS_MAX], widths[:WINDOWS_MAX], strict=False)):
        if width >= 1 or (width > 0 and function is not VoiFunction.LINEAR):
            found.append(Window(centre, width, function, labels[number] if number < len(labels) else ""))
    if found or centres:
        return tuple(dict.fromkeys(found))
    return _voi_lut_as_window(elements, charset)


def automatic(values: np.ndarray) -> Window:
    """1st to 99th percentile of the values of a frame, padding already taken out."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Window(128, 256)
    low, high = (float(v) for v in np.percentile(finite, [1, 99]))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    span = high - low
    if span < 1:  # values like SUV or decimals: LINEAR needs a width of 1 or more
        return Window(round((low + high) / 2, 6), max(span, 1e-6), VoiFunction.LINEAR_EXACT) if span > 0 else Window(low, 1)
    return Window(round((low + high) / 2, 2), round(span, 2))


def grey(values: np.ndarray, window: Window, *, invert: bool = False) -> np.ndarray:
    """Modality values (float64) -> display grey 0..255 (uint8), any shape: floor(y), or floor(255 - y) inverted.

    The order of operations is part of the rule: where y is a whole number, another order can fall just below it and draw one grey
    less. This one, (x - c) * (255 / w) + 127.5, equals DCMTK's on every file with a whole slope; static/viewer does the same.
    """
    x = values.astype(np.float64, copy=False)
    c, w = window.centre, window.width
    if window.function is VoiFunction.SIGMOID:
        y = 255 / (1 + np.exp(np.clip(-4 * (x - c) / w, -700, 700)))
    else:
        if window.function is VoiFunction.LINEAR:
            c, w = c - 0.5, w - 1
        y = (x - c) * (255 / w) + 127.5 if w > 0 else np.where(x > c, 255.0, 0.0)
    if invert:
        y = 255 - y
    return np.clip(y, 0, 255).astype(np.uint8)


def _voi_lut_as_window(elements: Elements, charset: tuple[str, ...]) -> tuple[Window, ...]:
    """A VOI LUT Sequence without any window: the range it maps, as a window of the same reach (C.11.2.1.1)."""
    found = []
    for item in elements.items(0x00283010, WINDOWS_MAX):
        described = item.shorts(0x00283002)
        if len(described) < 3:
            continue
        count, first = described[0] or 65536, described[1]
        if elements.short(0x00280103) == 1 or any(v < 0 for v in elements.reals(0x00281052)):
            first = (first ^ 0x8000) - 0x8000
        name, _ = decode_text(item.raw(0x00283003)[:256], charset)
        if count > 1:
            found.append(Window(first + count / 2, count, VoiFunction.LINEAR, name))
    return tuple(found)


def _short(value: float) -> float:
    """A number as JSON should carry it: whole when it is whole."""
    return int(value) if math.isfinite(value) and value == int(value) else round(value, 6)
