"""Palette colour: a stored value names a colour (PS3.3 C.7.6.3.1.5, C.7.9; segmented tables C.7.9.2)."""

import base64
import struct
from dataclasses import dataclass

import numpy as np

from cloudfilm.imaging.elements import Elements
from cloudfilm.imaging.modality import lut_of
from cloudfilm.imaging.picture import CannotShow

_DESCRIPTORS = (0x00281101, 0x00281102, 0x00281103)
_DATA = (0x00281201, 0x00281202, 0x00281203)
_SEGMENTED = (0x00281221, 0x00281222, 0x00281223)


@dataclass(frozen=True, slots=True)
class Palette:
    """`rgb[3 * i : 3 * i + 3]` is the colour of stored value `first + i`, 8 bits a channel; values outside clamp to the ends."""

    first: int
    rgb: bytes

    def colours(self, stored: np.ndarray) -> np.ndarray:
        """Stored values of any shape -> the same shape + (3,), uint8."""
        table = np.frombuffer(self.rgb, np.uint8).reshape(-1, 3)
        return table[np.clip(stored.astype(np.int64) - self.first, 0, len(table) - 1)]

    def listed(self) -> dict[str, object]:
        """As the manifest keeps it."""
        return {"kind": "palette", "first": self.first, "rgb": base64.b64encode(self.rgb).decode("ascii")}


def palette_of(elements: Elements) -> Palette:
    """Raises CannotShow when the tables are missing or do not fit."""
    signed = elements.short(0x00280103) == 1
    channels, first = [], 0
    for descriptor, data, segmented in zip(_DESCRIPTORS, _DATA, _SEGMENTED, strict=True):
        described = elements.shorts(descriptor)
        if len(described) < 3:
            raise CannotShow("Its colour table is missing.")
        count, first, bits = described[0] or 65536, described[1], described[2]
        if signed and first >= 32768:
            first -= 65536
        if elements.raw(data):
            lut = lut_of(elements, descriptor, data, signed=signed)
            values = np.asarray(lut.values if lut else (), np.int64)
        else:
            values = np.asarray(_expanded(elements, segmented, bits, count), np.int64)
        if len(values) != count:
            raise CannotShow("Its colour table is damaged.")
        wide = bits > 8 and bool(values.max(initial=0) > 255)
        channels.append((values >> 8 if wide else values).astype(np.uint8))
    return Palette(first, np.stack(channels, -1).tobytes())


def _expanded(elements: Elements, tag: int, bits: int, count: int) -> list[int]:
    """A segmented table: 0 discrete, 1 linear, 2 indirect segments. Never longer than `count`."""
    raw = elements.raw(tag)
    words = list(elements.shorts(tag)) if bits > 8 else list(raw)
    out: list[int] = []
    _segments(words, 0, len(words), out, count, raw, bits, deep=False)
    return out


def _segments(words: list[int], at: int, segments: int, out: list[int], count: int, raw: bytes, bits: int, *, deep: bool) -> None:
    while at + 1 < len(words) and segments > 0 and len(out) < count:
        kind, length = words[at], words[at + 1]
        at += 2
        segments -= 1
        if kind == 0:
            out.extend(words[at : at + length])
            at += length
        elif kind == 1 and out and at < len(words):
            start, end = out[-1], words[at]
            out.extend(round(start + (end - start) * step / length) for step in range(1, min(length, count) + 1))
            at += 1
        elif kind == 2 and not deep:
            width = 2 if bits > 8 else 1
            offset = struct.unpack_from("<I", raw, at * width)[0] if at * width + 4 <= len(raw) else len(raw)
            at += 4 // width
            _segments(words, offset // width, length, out, count, raw, bits, deep=True)
        else:
            return
    del out[count:]
