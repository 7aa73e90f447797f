"""Colour cells to the RGB a screen shows (PIXELS.md 2, rule 6; PS3.3 C.7.6.3.1.2)."""

import numpy as np

from cloudfilm.imaging.modality import as_index, stored_values
from cloudfilm.imaging.palette import Palette
from cloudfilm.imaging.picture import CannotShow, Picture


def rgb_of(cells: np.ndarray, picture: Picture, photometric: str, palette: Palette | None) -> np.ndarray:
    """-> (rows, cols, 3) uint8."""
    if palette is not None:
        return palette.colours(stored_values(picture)[as_index(cells)])
    if cells.ndim != 3:
        raise CannotShow("Its colours are declared, but there is one sample a pixel.")
    high = as_index(cells)
    if picture.allocated > 8:
        high = high >> max(0, picture.high - 7)
    eight = (high & 0xFF).astype(np.uint8)
    return _from_ybr(eight) if photometric == "YBR_FULL" else eight


def _from_ybr(ybr: np.ndarray) -> np.ndarray:
    y, cb, cr = (ybr[..., i].astype(np.float32) for i in range(3))
    rgb = np.stack(
        [
            y + 1.402 * (cr - 128),
            y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128),
            y + 1.772 * (cb - 128),
        ],
        -1,
    )
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
