"""The 256 codes of the preview tier: codes go where a reader's windows are (PIXELS.md 4).

table[code] = modality value, increasing. Each window adds weight / width to the code density inside centre +- 0.6 width; a floor keeps
some codes everywhere. When padding or any value lies below the range, the first codes ramp from the lowest value up to it, so that
the ringing of a lossy code around padding stays below every window.
"""

import math
from collections.abc import Sequence

import numpy as np

from cloudfilm.imaging.windows import Window

GUARD = 6
CT_PRESETS = ((-600.0, 1500.0), (40.0, 400.0), (450.0, 1500.0))  # lung, mediastinum and abdomen, bone
_STEPS = 4096


def companding_table(values: np.ndarray, windows: Sequence[Window], *, ct: bool, lowest: float | None) -> np.ndarray:
    """values: modality values, 1-D, padding taken out. lowest: the smallest value that will be coded, padding too. -> (256,) float64."""
    low, high = _range(values, ct=ct)
    grid = np.linspace(low, high, _STEPS + 1)
    middle = (grid[1:] + grid[:-1]) / 2
    density = np.full(_STEPS, 0.5 / (high - low))
    asked = [(w.centre, w.width, 2.0 if i == 0 else 1.0) for i, w in enumerate(windows)]
    asked += [(c, w, 1.0) for c, w in CT_PRESETS] if ct else []
    for centre, width, weight in asked:
        wide = max(width, (high - low) / 100)
        start, end = centre - 0.6 * wide, centre + 0.6 * wide  # a tenth beyond the window: it will be dragged
        density += ((middle > start) & (middle < end)) * weight / (end - start)
    if not ct:  # no common presets: follow the histogram too
        counts = np.histogram(values, _STEPS, (low, high))[0] + 1e-9
        smooth = np.convolve(counts, np.ones(65) / 65, "same") ** (1 / 3)
        density += smooth / (smooth.sum() * (grid[1] - grid[0]))
    share = np.concatenate([[0], np.cumsum(density)])
    guard = GUARD if lowest is not None and lowest < low - 1e-6 else 0
    table = np.interp(np.arange(256.0), guard + share / share[-1] * (255 - guard), grid)
    if guard and lowest is not None:
        table[:guard] = np.linspace(lowest, low, guard + 1)[:-1]
    return _rounded(table)


def codes_of(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Modality values of any shape -> the nearest codes, uint8."""
    return np.rint(np.interp(values, table, np.arange(256.0))).astype(np.uint8)


def _range(values: np.ndarray, *, ct: bool) -> tuple[float, float]:
    if not values.size:
        return 0.0, 255.0
    low, high = (float(v) for v in np.percentile(values, [0.01, 99.99]))
    if ct:
        low, high = max(min(low, float(values.min())), -1024.0), min(high, 3071.0)
    if high <= low:
        high = low + 1
    return low, high


def _rounded(table: np.ndarray) -> np.ndarray:
    """As few digits as keep a thousandth of a mean step: the table travels in the first response."""
    step = (table[-1] - table[0]) / 255
    digits = max(0, math.ceil(-math.log10(step)) + 2)
    return np.maximum.accumulate(np.round(table, digits))
