"""How long a millimetre is, and how we know."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cloudfilm.imaging.elements import read_elements
from cloudfilm.imaging.geometry import gap_of, letters
from cloudfilm.imaging.spacing import aspect_of, spacing_of

from .samples import blank, saved


def region(down: float, right: float, size: int = 100, unit: int = 3, kind: int = 1) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = kind, 1
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = 0, 0, size, size
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = unit
    item.PhysicalDeltaX, item.PhysicalDeltaY = right, down
    return item


@pytest.mark.parametrize(
    ("values", "modality", "plane", "spacing", "source"),
    [
        ({"PixelSpacing": [0.5, 0.6]}, "CT", True, (0.5, 0.6), "pixel spacing"),
        ({"ImagerPixelSpacing": [0.2, 0.2]}, "DX", False, (0.2, 0.2), "imager"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.25}, "DX", False, (0.16, 0.16), "imager"),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.2, 0.2]}, "DX", False, (0.2, 0.2), "imager"),
        (
            {"PixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "FIDUCIAL", "ImagerPixelSpacing": [0.2, 0.2]},
            "DX",
            False,
            (0.1, 0.1),
            "pixel spacing",
        ),
        ({"PixelSpacing": [0.1, 0.1]}, "CR", False, (0.1, 0.1), "imager"),
        ({"SequenceOfUltrasoundRegions": [region(-0.02, 0.03)]}, "US", False, (0.2, 0.3), "us region"),
        ({"SequenceOfUltrasoundRegions": [region(0.02, 0.03, unit=4)]}, "US", False, None, "none"),
        ({"SequenceOfUltrasoundRegions": [region(1, 1, size=9), region(0.05, 0.05)]}, "US", False, (0.5, 0.5), "us region"),
        ({"PixelSpacing": [0, 0]}, "CT", True, None, "none"),
        ({}, "OT", False, None, "none"),
    ],
)
def test_spacing_is_taken_from_the_best_source_and_named(
    values: dict[str, Any], modality: str, plane: bool, spacing: tuple[float, float] | None, source: str
) -> None:
    wrapped = {k: Sequence(v) if k.startswith("Sequence") else v for k, v in values.items()}
    found, said = spacing_of(read_elements(saved(blank(**wrapped))), modality=modality, has_plane=plane)
    assert found == (None if spacing is None else pytest.approx(spacing))
    assert said == source


def test_pixel_aspect_ratio_counts_only_without_spacing() -> None:
    elements = read_elements(saved(blank(PixelAspectRatio=[6, 5])))
    assert aspect_of(elements, None) == 1.2
    assert aspect_of(elements, (0.5, 0.5)) == 1.0


@pytest.mark.parametrize(
    ("orientation", "patient", "said"),
    [
        ((1, 0, 0, 0, 1, 0), (), ["R", "L", "A", "P"]),
        ((1, 0, 0, 0, 0, -1), (), ["R", "L", "H", "F"]),
        ((0, 1, 0, 0, 0, -1), (), ["A", "P", "H", "F"]),
        ((-1, 0, 0, 0, -1, 0), (), ["L", "R", "P", "A"]),
        ((0.8, 0.6, 0, 0, 0, -1), (), ["RA", "LP", "H", "F"]),
        (None, ("L", "F"), ["R", "L", "H", "F"]),
        (None, ("A", "F"), ["P", "A", "H", "F"]),
        (None, ("x", "y"), ["", "", "", ""]),
        (None, (), ["", "", "", ""]),
    ],
)
def test_letters_say_what_lies_at_each_edge(orientation: tuple[float, ...] | None, patient: tuple[str, ...], said: list[str]) -> None:
    assert letters(orientation, patient) == said


def test_gaps_within_five_per_cent_are_even() -> None:
    assert gap_of([0, 1, 2.04, 3]) == (1, True)
    assert gap_of([0, 1, 2.1, 3]) == (1, False)
    assert gap_of([5]) == (None, True)
