"""Cell -> stored value -> modality value, as one table a description (PIXELS.md 2, rules 1 to 3; PS3.3 C.7.6.3, C.11.1)."""

from dataclasses import dataclass

import numpy as np

from cloudfilm.imaging.elements import Elements
from cloudfilm.imaging.picture import Picture


@dataclass(frozen=True, slots=True)
class Lut:
    """A lookup table: `values[i]` is the output for stored value `first + i`; inputs outside clamp to its ends (C.11.1.1.1)."""

    first: int
    values: tuple[int, ...]

    def apply(self, stored: np.ndarray) -> np.ndarray:
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.values) - 1)
        return np.asarray(self.values, np.float64)[index]


def stored_values(picture: Picture) -> np.ndarray:
    """int32 table: the stored value of every possible cell, indexed by the cell's bits read as unsigned."""
    cells = np.arange(1 << max(8, picture.allocated), dtype=np.int64)
    values = (cells >> (picture.high + 1 - picture.stored)) & ((1 << picture.stored) - 1)
    if picture.signed:
        values -= (values >> (picture.stored - 1)) << picture.stored
    return values.astype(np.int32)


def modality_values(picture: Picture, slope: float, intercept: float, lut: Lut | None) -> np.ndarray:
    """float64 table: the modality value of every possible cell. Doubles, or a decimal slope would round grey levels."""
    stored = stored_values(picture)
    if lut is not None:
        return lut.apply(stored)
    return stored * slope + intercept


def as_index(cells: np.ndarray) -> np.ndarray:
    """Cells as unsigned numbers in native byte order: what the tables above are indexed by."""
    native = cells.astype(cells.dtype.newbyteorder("="), copy=False)
    return native.view(f"u{native.dtype.itemsize}")


def padding_of(elements: Elements, picture: Picture) -> tuple[int, int] | None:
    """Pixel Padding Value and its range limit as stored values, lowest first; None without.

    Its VR often lies (63536 with signed pixels is -2000): read modulo the cell size by Pixel Representation.
    """
    found = [v for tag in (0x00280120, 0x00280121) for v in elements.shorts(tag)[:1]]
    if not found or 0x00280120 not in elements or picture.samples != 1:
        return None
    bits = max(8, picture.allocated)
    limits = [v & ((1 << bits) - 1) for v in found]
    if picture.signed:
        limits = [v - (1 << bits) if v >> (bits - 1) else v for v in limits]
    return min(limits), max(limits)


def rescale_of(elements: Elements) -> tuple[float, float] | None:
    """(slope, intercept) of an instance or a Pixel Value Transformation item; None when it has none. A slope of 0 counts as 1."""
    slope, intercept = elements.real(0x00281053), elements.real(0x00281052)
    if slope is None and intercept is None:
        return None
    return (slope or 1.0, intercept or 0.0)


def modality_lut_of(elements: Elements, picture: Picture) -> Lut | None:
    """The Modality LUT Sequence's table (0028,3000), None without."""
    items = elements.items(0x00283000, 1)
    return lut_of(items[0], 0x00283002, 0x00283006, signed=picture.signed) if items else None


def lut_of(item: Elements, descriptor: int, data: int, *, signed: bool) -> Lut | None:
    """A table from its descriptor and data. 0 entries means 65536; 8-bit tables in 16-bit words happen (C.11.1.1.1)."""
    described = item.shorts(descriptor)
    if len(described) < 3:
        return None
    count, first = described[0] or 65536, described[1]
    if signed and first >= 32768:
        first -= 65536
    raw = item.raw(data)
    if len(raw) >= 2 * count:
        values = item.shorts(data)[:count]
    elif len(raw) >= count:
        values = tuple(raw[:count])
    else:
        return None
    return Lut(first, values)
