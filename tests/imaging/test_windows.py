"""The grey rule: numbers by hand from PS3.3 C.11.2, pictures from DCMTK."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cloudfilm.imaging.elements import read_elements
from cloudfilm.imaging.facts import facts_of
from cloudfilm.imaging.frames import frames_of
from cloudfilm.imaging.rendering import GreyScale, colours
from cloudfilm.imaging.windows import VoiFunction, Window, automatic, grey, windows_of

from .samples import blank, ct_slice, saved, with_pixels

E, S = VoiFunction.LINEAR_EXACT, VoiFunction.SIGMOID


@pytest.mark.parametrize(
    ("window", "value", "shown"),
    [
        (Window(40, 400), -160, 0),  # <= c - .5 - (w-1)/2 = -160
        (Window(40, 400), 239, 255),  # > c - .5 + (w-1)/2 = 239 is 255, at it (199.5/399 + .5) * 255 = 255
        (Window(40, 400), 40, 127),  # (.5/399 + .5) * 255 = 127.8
        (Window(40, 400), 39, 127),  # (-.5/399 + .5) * 255 = 127.18
        (Window(2048, 4096), 273, 17),  # 273 / 4095 * 255 = 17 exactly: a careless order of operations gives 16
        (Window(1, 1), 0, 0),  # width 1: a step at c - .5
        (Window(1, 1), 1, 255),
        (Window(40, 400, E), 40, 127),  # LINEAR_EXACT: .5 * 255 = 127.5
        (Window(40, 400, E), -160, 0),
        (Window(40, 400, E), 240, 255),
        (Window(0.5, 0.25, E), 0.5625, 191),  # (.0625/.25 + .5) * 255 = 191.25
        (Window(40, 400, S), 40, 127),
        (Window(40, 400, S), 140, 186),  # 255 / (1 + e^-1) = 186.42
        (Window(40, 400, S), 1e9, 255),
    ],
)
def test_a_value_is_shown_as_the_standard_says(window: Window, value: float, shown: int) -> None:
    assert grey(np.array([value]), window)[0] == shown


def test_inverted_grey_is_the_floor_of_the_rest() -> None:
    assert list(grey(np.array([-1000.0, 40.0, 1000.0]), Window(40, 400), invert=True)) == [255, 127, 0]


def test_a_higher_value_is_never_darker() -> None:
    values = np.linspace(-2000, 3000, 20_001)
    for window in (Window(40, 400), Window(-600, 1500), Window(0.3, 0.7, E), Window(40, 80, S), Window(7, 1)):
        assert (np.diff(grey(values, window).astype(int)) >= 0).all()
        assert (np.diff(grey(values, window, invert=True).astype(int)) <= 0).all()


def test_windows_come_with_their_names_and_function() -> None:
    ds = blank(SpecificCharacterSet="GB18030", WindowCenter=[-600, 40], WindowWidth=[1500, 400])
    ds.WindowCenterWidthExplanation, ds.VOILUTFunction = ["肺窗", "纵隔窗"], "SIGMOID"
    elements = read_elements(saved(ds))
    found = windows_of(elements, elements.words(0x00080005))
    assert [w.listed() for w in found] == [[-600, 1500, "SIGMOID", "肺窗"], [40, 400, "SIGMOID", "纵隔窗"]]


@pytest.mark.parametrize(("centre", "width"), [("40", "0"), ("nan", "400"), ("40", "-5"), ("x", "y"), ("", "")])
def test_a_window_that_is_none_is_left_out(centre: str, width: str) -> None:
    data = (
        saved(blank(WindowCenter="1234", WindowWidth="5678"))
        .replace(b"1234", centre.encode().ljust(4))
        .replace(b"5678", width.encode().ljust(4))
    )
    assert windows_of(read_elements(data)) == ()


def test_the_automatic_window_covers_the_first_to_the_99th_percentile() -> None:
    window = automatic(np.arange(10_001.0))
    assert (window.centre, window.width) == (5000, 9800)
    flat = automatic(np.full(10, 7.0))
    assert flat.width >= 1
    small = automatic(np.linspace(0, 0.5, 101))
    assert small.function is VoiFunction.LINEAR_EXACT
    assert small.width == pytest.approx(0.49)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME1", "", True),
        ("MONOCHROME2", "", False),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
    ],
)
def test_polarity_is_decided_as_dcmtk_decides_it(photometric: str, shape: str, inverted: bool, tmp_path: Path) -> None:
    ds = with_pixels(blank(PhotometricInterpretation=photometric, WindowCenter=2048, WindowWidth=4096))
    if shape:
        ds.PresentationLUTShape = shape
    data = saved(ds)
    assert facts_of(read_elements(data), "").invert == inverted
    (tmp_path / "a.dcm").write_bytes(data)
    assert_like_dcmtk(tmp_path / "a.dcm", tmp_path, tolerance=1)  # MONOCHROME1: DCMTK's own rounding


def test_padding_with_the_wrong_vr_is_read_by_the_sign_of_the_pixels() -> None:
    ds = with_pixels(blank(), 16, 16, signed=1)
    ds.add_new(0x00280120, "US", 63536)
    assert facts_of(read_elements(saved(ds)), "").padding == (-2000, -2000)


def test_a_ct_slice_is_drawn_as_dcmtk_draws_it(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(ct_slice(1, position=0))
    assert_like_dcmtk(tmp_path / "a.dcm", tmp_path)


def test_the_demo_study_is_drawn_as_dcmtk_draws_it(shared_data: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xJf", str(shared_data / "demo-study-zh/dicom.tar.xz"), "-C", str(tmp_path)], check=True)
    for file in sorted((tmp_path / "demo-study-zh").glob("*5.dcm")):
        assert_like_dcmtk(file, tmp_path)


GREY = [
    ("cr-dx/cr_mono1_10bit_chest", 1),  # DCMTK's float rounding of MONOCHROME1
    ("cr-dx/cr_mono2_2140x1760_jpeg_ext", 0),
    ("cr-dx/dx_mono1_small", 0),
    ("ct/ct_signed_jpll_bug", 0),
    ("mg/mg_overlay_out_of_bounds", 0),
    ("mr/mr_12bit_jpeg_extended", 0),
    ("mr/mr_big_endian", 0),
    ("mr/mr_overlay", 0),
    ("nm/nm_13f_heart", 0),
    ("pt/pt_implicit_169", 1),  # a decimal slope: DCMTK keeps whole modality values
    ("syntax-ct/ct_deflated", 0),
    ("syntax-ct/ct_explicit_be", 0),
    ("syntax-ct/ct_explicit_le", 0),
    ("syntax-ct/ct_implicit_le", 0),
    ("syntax-ct/ct_jpeg_baseline_50", 1),  # decimal slope
    ("syntax-ct/ct_jpeg_extended12_51", 1),  # decimal slope
    ("syntax-ct/ct_jpeg_lossless_57", 0),
    ("syntax-ct/ct_jpegls_lossless_80", 0),
    ("syntax-ct/ct_rle", 0),
]


@pytest.mark.parametrize(("name", "tolerance"), GREY)
def test_grey_files_are_drawn_as_dcmtk_draws_them(shared_data: Path, tmp_path: Path, name: str, tolerance: int) -> None:
    assert_like_dcmtk(shared_data / f"variety/{name}.dcm", tmp_path, tolerance=tolerance)


COLOUR = [
    "sc/sc_icon_jpeg",
    "sc/sc_jpeg_app14_rgb",
    "sc/sc_palette16_pattern",
    "sc/sc_palette_pattern",
    "sc/sc_planar0_rgb",
    "sc/sc_planar1_rgb",
    "sc/sc_rgb_16bit",
    "sc/sc_ybr422_uncompressed",
    "us/us_palette_800x350",
    "us/us_palette_rle",
    "us/us_rgb_big_endian",
    "us/us_ybr422_uncompressed",
]


@pytest.mark.parametrize("name", COLOUR)
def test_colour_files_are_drawn_as_dcmtk_draws_them(shared_data: Path, tmp_path: Path, name: str) -> None:
    assert_like_dcmtk(shared_data / f"variety/{name}.dcm", tmp_path, tolerance=1 if "ybr" in name else 0)


def assert_like_dcmtk(file: Path, tmp_path: Path, *, tolerance: int = 0) -> None:
    """Our grey of the first frame equals `dcmj2pnm +Wi 1 --no-overlays`, pixel by pixel, but for `tolerance` grey levels."""
    elements = read_elements(file.read_bytes())
    facts, cells = facts_of(elements, ""), frames_of(elements).cells(0)
    out = tmp_path / "reference.pnm"
    window = [] if facts.colour else ["+Wi", "1"]
    tool = "dcml2pnm" if elements.syntax.endswith(("4.80", "4.81")) else "dcmj2pnm"
    if shutil.which(tool) is None:
        pytest.skip(f"NOT RUN: {tool} of the Debian package dcmtk is missing: apt-get install dcmtk")
    subprocess.run([tool, *window, "--no-overlays", "+F", "1", str(file), str(out)], check=True, capture_output=True)
    reference = np.asarray(Image.open(out)).astype(int)
    frame = facts.frames[0]
    ours = colours(facts, cells) if facts.colour else GreyScale(facts, frame.windows, np.zeros(256)).grey(cells, frame)
    assert ours.shape == reference.shape
    assert np.abs(ours.astype(int) - reference).max() <= tolerance
