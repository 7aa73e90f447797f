"""The phone's grey of every possible cell against the imaging room's (which equals DCMTK's): every entry of the table, not a sample."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfilm.imaging.elements import read_elements
from cloudfilm.imaging.facts import Facts, FrameFacts, facts_of
from cloudfilm.imaging.rendering import padding_cells, values_table
from cloudfilm.imaging.series import build_series
from cloudfilm.imaging.windows import VoiFunction, Window, grey
from tests.imaging.samples import blank, ct_slice, saved, with_pixels

ROOT = Path(__file__).resolve().parents[2]
WINDOWS = [
    Window(40, 400),
    Window(-600, 1500),
    Window(2048, 4096),
    Window(1, 1),
    Window(0.5, 0.25, VoiFunction.LINEAR_EXACT),
    Window(300, 600, VoiFunction.LINEAR_EXACT),
    Window(40, 80, VoiFunction.SIGMOID),
]


def _tables(asked: list[dict[str, Any]]) -> list[np.ndarray]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT RUN: node is not installed; the viewer's tables were not compared (apt-get install nodejs)")
    done = subprocess.run([node, "tests/viewer/tables.mjs"], cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [np.frombuffer(bytes.fromhex(line), np.uint8) for line in done.stdout.splitlines()]


def _expected(facts: Facts, frame: FrameFacts, window: Window, *, inverted: bool) -> np.ndarray:
    """Grey by the cell's bits read as unsigned."""
    shown = grey(values_table(facts, frame), window, invert=inverted)
    padded = padding_cells(facts)
    if padded is not None:
        shown[padded] = 0
    return shown


def assert_same_tables(file: Path, out: Path) -> None:
    entry = build_series([file], out, lambda done: None)
    facts = facts_of(read_elements(file.read_bytes()), "")
    [stack] = entry["stacks"]
    instance, number, _, slope, intercept = stack["frames"][0]
    frame = facts.frames[number]
    bias = entry["instances"][instance]["frames"][number][2]
    if stack["slope"] is not None:
        slope = stack["slope"] if slope is None else slope
        intercept = stack["intercept"] if intercept is None else intercept
    size = 256 if stack["bits"] <= 8 and bias == 0 else 65536
    how = {"size": size, "bias": bias, "slope": slope, "intercept": intercept}
    windows = [*WINDOWS, *(Window(w[0], w[1], VoiFunction(w[2])) for w in stack["windows"])]
    cases = [(window, inverted) for window in windows for inverted in (False, True)]
    got = _tables([{"head": stack, "how": how, "window": w.listed(), "inverted": inverted} for w, inverted in cases])
    for (window, inverted), table in zip(cases, got, strict=True):
        expected = _expected(facts, frame, window, inverted=inverted)
        half = len(expected) // 2 if facts.picture.signed else len(expected)
        cells = np.arange(len(table)) + bias
        real = (cells >= half - len(expected)) & (cells < half)  # what a cell of this sign and size can hold
        differ = table[real] != expected[cells[real] % len(expected)]
        assert not differ.any(), f"{window} inverted={inverted}: {differ.sum()} of {real.sum()} cells"


@pytest.mark.parametrize(
    ("bits", "stored", "signed", "padding", "slope", "shape"),
    [
        (16, 12, 0, 0, 1, ""),
        (16, 16, 1, -2000, 1, ""),
        (16, 12, 1, None, 0.37, ""),
        (16, 10, 0, None, 1, "INVERSE"),
        (8, 8, 0, None, 1, ""),
        (8, 8, 1, None, 2.5, ""),
    ],
)
def test_every_cell_is_as_grey_on_the_phone_as_on_the_server(
    bits: int, stored: int, signed: int, padding: int | None, slope: float, shape: str, tmp_path: Path
) -> None:
    ds = with_pixels(blank(RescaleSlope=slope, RescaleIntercept=-24, WindowCenter=100, WindowWidth=300), bits, stored, signed=signed)
    if padding is not None:
        ds.add_new(0x00280120, "SS" if signed else "US", padding)
    if shape:
        ds.PresentationLUTShape = shape
    (tmp_path / "a.dcm").write_bytes(saved(ds))
    assert_same_tables(tmp_path / "a.dcm", tmp_path)


def test_bits_above_high_bit_are_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(saved(with_pixels(blank(WindowCenter=2048, WindowWidth=4096), 16, 12, overlay="one")))
    assert_same_tables(tmp_path / "a.dcm", tmp_path)


def test_a_ct_slice_is_as_grey(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(ct_slice(1, position=0))
    assert_same_tables(tmp_path / "a.dcm", tmp_path)


@pytest.mark.parametrize(
    "name",
    ["cr-dx/cr_mono1_modality_lut_1576x1976", "cr-dx/dx_mono1_small", "ct/ct_signed_jpll_bug", "mr/mr_overlay", "pt/pt_implicit_169",
     "lut/voi_lut_sequence", "mr/mr_big_endian", "mr/mr_12bit_jpeg_extended", "syntax-ct/ct_rle"],
)  # fmt: skip
def test_real_files_are_as_grey(shared_data: Path, tmp_path: Path, name: str) -> None:
    assert_same_tables(shared_data / f"variety/{name}.dcm", tmp_path)


def test_preview_codes_are_as_grey(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(ct_slice(1, position=0))
    [stack] = build_series([tmp_path / "a.dcm"], tmp_path, lambda done: None)["stacks"]
    got = _tables([{"head": stack, "how": None, "window": w.listed(), "inverted": False} for w in WINDOWS])
    for window, table in zip(WINDOWS, got, strict=True):
        assert (table == grey(np.array(stack["table"], np.float64), window)).all(), window
