"""Where a slice lies in the patient, and what is left and right on its picture (PS3.3 C.7.6.1.1.1, C.7.6.2)."""

import math
from collections.abc import Sequence
from itertools import pairwise

SAME_DIRECTION = 0.999  # cosine: two orientations closer than 2.6 degrees are one stack
SAME_PLACE_MM = 0.01
EVEN = 0.05  # gaps that differ by 5 % or less are even

Vector = tuple[float, ...]

_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "F", "F": "H"}


def is_orientation(numbers: Sequence[float]) -> bool:
    """Six cosines: two unit vectors at a right angle."""
    if len(numbers) != 6:
        return False
    row, col = numbers[:3], numbers[3:]
    return abs(_dot(row, row) - 1) < 0.02 and abs(_dot(col, col) - 1) < 0.02 and abs(_dot(row, col)) < 0.02


def along_normal(orientation: Vector, position: Vector) -> float:
    """Distance of a slice from the origin along its normal, mm: row x column, dot position."""
    (a, b, c), (d, e, f) = orientation[:3], orientation[3:]
    return _dot((b * f - c * e, c * d - a * f, a * e - b * d), position)


def same_direction(one: Vector, other: Vector) -> bool:
    return _dot(one[:3], other[:3]) > SAME_DIRECTION and _dot(one[3:], other[3:]) > SAME_DIRECTION


def letters(orientation: Vector | None, patient_orientation: tuple[str, ...] = ()) -> list[str]:
    """What lies at the [left, right, top, bottom] of the picture: R L A P H F, oblique ones as two; "" where unknown.

    Without direction cosines, Patient Orientation (0020,0020): the direction of the rows, then of the columns.
    """
    if orientation is not None:
        right, bottom = _towards(orientation[:3]), _towards(orientation[3:])
    elif len(patient_orientation) == 2 and all(word and set(word) <= set(_OPPOSITE) for word in patient_orientation):
        right, bottom = (word[:2] for word in patient_orientation)
    else:
        return ["", "", "", ""]
    return [_turned(right), right, _turned(bottom), bottom]


def gap_of(positions: Sequence[float]) -> tuple[float | None, bool]:
    """-> (median distance between neighbours in mm, None for fewer than two; are all gaps equal within 5 %?)."""
    gaps = sorted(abs(b - a) for a, b in pairwise(positions))
    if not gaps:
        return None, True
    middle = gaps[len(gaps) // 2]
    even = middle > SAME_PLACE_MM and all(abs(gap - middle) <= EVEN * middle for gap in gaps)
    return round(middle, 4), even


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def _towards(direction: Vector) -> str:
    named = zip(
        ("L" if direction[0] > 0 else "R", "P" if direction[1] > 0 else "A", "H" if direction[2] > 0 else "F"), direction, strict=True
    )
    strong = sorted((-abs(size), letter) for letter, size in named if abs(size) > 0.25)
    return "".join(letter for _, letter in strong[:2])


def _turned(word: str) -> str:
    return "".join(_OPPOSITE[letter] for letter in word)
