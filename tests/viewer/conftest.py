"""A film of nobody for the browser: grey CT, PET with a slope a slice, inverted radiograph, colour. And one Chromium a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.imaging.samples import blank, ct_slice, saved, with_pixels
from tests.viewer.page import Film, film_of, serving, unpacked


def _written(folder: Path, files: list[bytes]) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{n:04d}.dcm" for n in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    return paths


def synthetic(folder: Path) -> list[list[Path]]:
    """Series: 0 CT of 40, padding and two windows; 1 PET of 5, each its slope; 2 inverted 10-bit radiograph; 3 colour cine of 6."""
    padded = {
        "SpecificCharacterSet": "GB18030",
        "PixelPaddingValue": 0,
        "WindowCenter": [40, -600],
        "WindowWidth": [400, 1500],
        "SeriesDescription": "轴位 1.0mm",
    }
    ct = [ct_slice(n, position=float(n), WindowCenterWidthExplanation=["软组织", "肺窗"], **padded) for n in range(40)]
    pet = [
        ct_slice(n, position=3.0 * n, RescaleSlope=1 + n / 7, RescaleIntercept=0, Modality="PT", SeriesInstanceUID="1.2.3.10",
                 WindowCenter=2000, WindowWidth=3999)
        for n in range(5)
    ]  # fmt: skip
    dx = blank(Modality="DX", SeriesInstanceUID="1.2.3.11", SOPInstanceUID="1.2.3.11.1", PhotometricInterpretation="MONOCHROME1")
    dx.WindowCenter, dx.WindowWidth, dx.ImagerPixelSpacing = 512, 1024, [0.2, 0.2]
    us = blank(Modality="US", SeriesInstanceUID="1.2.3.12", SOPInstanceUID="1.2.3.12.1")
    colour = with_pixels(us, 8, 8, samples=3, frames=6, rows=60, cols=80)
    films = [ct, pet, [saved(with_pixels(dx, 16, 10, rows=120, cols=100))], [saved(colour)]]
    return [_written(folder / str(n), files) for n, files in enumerate(films)]


@pytest.fixture(scope="session")
def browser(chromium: Browser) -> Browser:
    """The browser that opens the stage."""
    return chromium


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    return film_of(synthetic(folder / "files"), folder / "out")


@pytest.fixture
def film(built: Film) -> Film:
    """The same film without the last test's damage."""
    built.spoil, built.refuse, built.asked, built.gate = (lambda key, at, data: data), (lambda path: False), [], None
    return built


@pytest.fixture
def address(film: Film) -> Iterator[str]:
    with serving(film) as url:
        yield url


@pytest.fixture(scope="session")
def demo(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """The shared demo study: 100 slices of a real chest CT, a few of them only, to be quick."""
    folder = tmp_path_factory.mktemp("demo")
    files = unpacked(shared_data / "demo-study-zh", folder / "files")
    return film_of([files[::4]], folder / "out")
