"""Millimetres between pixels, and where that number comes from (PIXELS.md 2, rule 7; PS3.3 10.7)."""

from enum import StrEnum

from cloudfilm.imaging.elements import Elements

Pair = tuple[float, float]  # between rows (vertical), between columns (horizontal)

_PROJECTIONS = frozenset({"CR", "DX", "MG", "PX", "IO", "XA", "RF", "RG"})
_CM = 3  # Physical Units X/Y Direction, C.8.5.5.1.15


class SpacingSource(StrEnum):
    """What the page may say about a measured length."""

    PIXEL = "pixel spacing"
    IMAGER = "imager"  # at the detector, not in the patient
    US_REGION = "us region"
    NONE = "none"


def spacing_of(elements: Elements, *, modality: str, has_plane: bool) -> tuple[Pair | None, SpacingSource]:
    """Spacing of an instance without functional groups."""
    pixel = pair(elements.reals(0x00280030))
    if pixel and (has_plane or modality not in _PROJECTIONS):
        return pixel, SpacingSource.PIXEL
    region = _us_region(elements)
    if region:
        return region, SpacingSource.US_REGION
    if pixel and elements.text(0x00280A02):  # calibrated on a fiducial or for the geometry
        return pixel, SpacingSource.PIXEL
    imager = pair(elements.reals(0x00181164)) or pixel
    if imager:
        magnified = elements.real(0x00181114) or 1.0
        factor = magnified if 1.0 <= magnified <= 10 else 1.0
        return (imager[0] / factor, imager[1] / factor), SpacingSource.IMAGER
    return None, SpacingSource.NONE


def aspect_of(elements: Elements, spacing: Pair | None) -> float:
    """Height of a pixel divided by its width. Pixel Aspect Ratio (0028,0034) counts only where there is no spacing."""
    if spacing:
        return round(spacing[0] / spacing[1], 6)
    ratio = pair(elements.reals(0x00280034))
    return round(ratio[0] / ratio[1], 6) if ratio and 0.05 < ratio[0] / ratio[1] < 20 else 1.0


def pair(numbers: tuple[float, ...]) -> Pair | None:
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) > 1e-6 else None


def _us_region(elements: Elements) -> Pair | None:
    """Of the largest two-dimensional region measured in cm (C.8.5.5)."""
    best: tuple[int, Pair] | None = None
    for item in elements.items(0x00186011, 64):
        if item.short(0x00186012) != 1 or item.short(0x00186024) != _CM or item.short(0x00186026) != _CM:
            continue
        right, down = item.doubles(0x0018602C), item.doubles(0x0018602E)
        corners = [item.longs(tag)[:1] or (0,) for tag in (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)]
        x0, y0, x1, y1 = (corner[0] for corner in corners)
        found = pair((abs(down[0]) * 10, abs(right[0]) * 10)) if right and down else None
        area = (x1 - x0) * (y1 - y0)
        if found and (best is None or area > best[0]):
            best = (area, found)
    return best[1] if best else None
