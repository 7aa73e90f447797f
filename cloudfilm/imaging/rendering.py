"""One stack's way from cells to what is shown: preview codes, grey of the default window, RGB. Tables are built once a description."""

from dataclasses import dataclass, field

import numpy as np

from cloudfilm.imaging.colour import rgb_of
from cloudfilm.imaging.companding import codes_of, companding_table
from cloudfilm.imaging.facts import Facts, FrameFacts
from cloudfilm.imaging.modality import as_index, modality_values, stored_values
from cloudfilm.imaging.windows import Window, automatic, grey


@dataclass
class GreyScale:
    """Grey cells of one stack. `values` and `codes` are cached by (slope, intercept): most stacks have one pair."""

    facts: Facts
    windows: tuple[Window, ...]
    table: np.ndarray
    _values: dict[tuple[float, float], np.ndarray] = field(default_factory=dict)
    _codes: dict[tuple[float, float], np.ndarray] = field(default_factory=dict)

    def codes(self, cells: np.ndarray, frame: FrameFacts) -> np.ndarray:
        """Preview codes of a frame."""
        pair = (frame.slope, frame.intercept)
        if pair not in self._codes:
            codes = codes_of(values_table(self.facts, frame), self.table)
            padded = padding_cells(self.facts)
            if padded is not None:
                codes[padded] = 255 if self.facts.invert else 0  # darkest on the screen
            self._keep(self._codes, pair, codes)
        return self._codes[pair][as_index(cells)]

    def grey(self, cells: np.ndarray, frame: FrameFacts) -> np.ndarray:
        """A frame in the default window, as DCMTK draws it; padding black."""
        values = values_table(self.facts, frame)
        shown = grey(values, self.windows[0], invert=self.facts.invert)
        padded = padding_cells(self.facts)
        if padded is not None:
            shown[padded] = 0
        return shown[as_index(cells)]

    @staticmethod
    def _keep(cache: dict[tuple[float, float], np.ndarray], pair: tuple[float, float], table: np.ndarray) -> None:
        if len(cache) > 8:  # PET: a pair for every slice
            cache.clear()
        cache[pair] = table


def values_table(facts: Facts, frame: FrameFacts) -> np.ndarray:
    """Modality value of every possible cell."""
    return modality_values(facts.picture, frame.slope, frame.intercept, facts.lut)


def padding_cells(facts: Facts) -> np.ndarray | None:
    """True for every cell that is padding (compared as stored values, both ends inclusive); None without padding."""
    if facts.padding is None:
        return None
    stored = stored_values(facts.picture)
    return (stored >= facts.padding[0]) & (stored <= facts.padding[1])


def real_values(facts: Facts, frame: FrameFacts, cells: np.ndarray) -> np.ndarray:
    """The modality values of these cells, 1-D, padding taken out."""
    index = as_index(cells).ravel()
    padded = padding_cells(facts)
    if padded is not None:
        index = index[~padded[index]]
    return values_table(facts, frame)[index]


def grey_scale(facts: Facts, windows: tuple[Window, ...], samples: list[tuple[FrameFacts, np.ndarray]], middle: int) -> GreyScale:
    """Made from subsampled cells of some frames; `middle` is the sample nearest the stack's middle, for the automatic window."""
    values = [real_values(facts, frame, cells) for frame, cells in samples]
    chosen = windows or (automatic(values[middle]),)
    every = np.concatenate(values)
    lowest = min((float(values_table(facts, frame)[as_index(cells)].min()) for frame, cells in samples), default=None)
    if facts.padding is not None and not facts.invert and every.size:
        padding = values_table(facts, samples[0][0])[padding_cells(facts)]
        below = float(padding.min()) if padding.size else float(every.min())
        lowest = min(lowest if lowest is not None else below, below)
    table = companding_table(every, chosen, ct=facts.header.modality == "CT" and facts.unit == "HU", lowest=lowest)
    return GreyScale(facts, chosen, table)


def colours(facts: Facts, cells: np.ndarray) -> np.ndarray:
    """RGB of a colour frame, uint8."""
    return rgb_of(cells, facts.picture, facts.photometric, facts.palette)
