"""The one call the publisher makes."""

import base64
import hashlib
import io
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cloudfilm.imaging import jpegls
from cloudfilm.imaging.exactstack import rebuild
from cloudfilm.imaging.series import build_series

from .samples import blank, ct_slice, saved, with_pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


def put(folder: Path, *contents: bytes) -> list[Path]:
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number:04d}"
        path.write_bytes(content)
        files.append(path)
    return files


def built(files: list[Path], out: Path) -> dict[str, Any]:
    out.mkdir(exist_ok=True)
    return build_series(files, out, lambda _done: None)


def originals(entry: dict[str, Any], out: Path) -> set[bytes]:
    exact = (out / "exact").read_bytes()
    return {rebuild(exact[i["at"] : i["at"] + i["stored"]], i) for i in entry["instances"]}


def test_slices_are_ordered_by_position_and_come_back_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    positions = [5.0, -2.5, 0.0, 2.5]
    contents = [ct_slice(number, position=mm) for number, mm in enumerate(positions, 1)]
    done: list[int] = []
    (tmp_path / "out").mkdir()
    entry = build_series(put(folder, *contents), tmp_path / "out", done.append)
    stack = entry["stacks"][0]
    assert [frame[2] for frame in stack["frames"]] == sorted(positions)
    assert [i["sop_instance_uid"] for i in entry["instances"]] == ["1.2.3.4.2", "1.2.3.4.3", "1.2.3.4.4", "1.2.3.4.1"]
    assert (stack["order"], stack["gap"], stack["even"], stack["key"], stack["count"]) == ("position", 2.5, True, 2, 4)
    assert originals(entry, tmp_path / "out") == set(contents)
    assert done == [1, 2, 3, 4]


def test_the_same_files_in_any_order_give_the_same_bytes_and_entry(folder: Path, tmp_path: Path) -> None:
    files = put(folder, *(ct_slice(n, position=n * 3.0) for n in range(1, 24)), b"not dicom", saved(blank(SOPInstanceUID="1.2.9")))
    shuffled = random.Random(1).sample(files, len(files))
    one = built(files, tmp_path / "one")
    for given in ([*shuffled, files[0]], files[::-1]):
        assert built(given, tmp_path / "two") == one
    for name in ("exact", "0.preview"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_objects_are_what_the_entry_says(folder: Path, tmp_path: Path) -> None:
    entry = built(put(folder, *(ct_slice(n, position=float(n)) for n in range(1, 20))), tmp_path / "out")
    stack = entry["stacks"][0]
    for said, name in ((entry["exact"], "exact"), (stack["preview"], "0.preview")):
        content = (tmp_path / "out" / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (said["size"], said["sha256"])
    preview = (tmp_path / "out/0.preview").read_bytes()
    magic, count, key = struct.unpack_from("<4sII", preview)
    sizes = struct.unpack_from(f"<{count}I", preview, 12)
    assert (magic, count, key) == (b"PVS1", 19, stack["key"])
    assert 12 + 4 * count + sum(sizes) == len(preview)
    first = Image.open(io.BytesIO(preview[12 + 4 * count :][: sizes[0]]))
    assert (first.format, first.size) == ("WEBP", (stack["pcols"], stack["prows"]))
    hashes = sorted(i["sha256"] for i in entry["instances"])
    assert entry["content_id"] == hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def test_an_exact_frame_is_where_the_entry_says_and_the_preview_is_near_it(folder: Path, tmp_path: Path) -> None:
    entry = built(put(folder, *(ct_slice(n, position=float(n)) for n in range(1, 8))), tmp_path / "out")
    stack, exact = entry["stacks"][0], (tmp_path / "out/exact").read_bytes()
    instance, frame, *_ = stack["frames"][stack["key"]]
    at, size, bias, codec, _green, _crc = entry["instances"][instance]["frames"][frame]
    begin = entry["instances"][instance]["at"] + at
    cells = jpegls.decode(exact[begin : begin + size], bias, np.dtype("<u2"))
    coded = np.asarray(Image.open(io.BytesIO(base64.b64decode(stack["keyframe"]))).convert("L"))
    back = np.asarray(stack["table"])[coded]
    assert codec == "jls"
    assert np.median(np.abs(back - (cells - 1024.0))) < 60


def test_key_frame_and_thumbnail_are_small_and_real(folder: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 4096, (1200, 1500)).astype("<u2")
    ds = with_pixels(blank(Modality="DX"), rows=1200, cols=1500)
    ds.PixelData = noise.tobytes()
    stack = built(put(folder, saved(ds)), tmp_path / "out")["stacks"][0]
    assert len(base64.b64decode(stack["keyframe"])) <= 9000
    assert len(base64.b64decode(stack["thumb"])) <= 2000
    assert Image.open(io.BytesIO(base64.b64decode(stack["thumb"]))).size == (96, 96)
    assert Image.open(io.BytesIO(base64.b64decode(stack["keyframe"]))).size == (stack["kfcols"], stack["kfrows"])


def test_a_file_that_cannot_be_shown_is_kept_and_says_why(folder: Path, tmp_path: Path) -> None:
    broken = saved(with_pixels(blank(SOPInstanceUID="1.2.7"), rows=64, cols=64))[:-900]
    contents = [ct_slice(1, position=0), broken, b"", b"\0" * 400, saved(blank(SOPInstanceUID="1.2.8"))]
    entry = built(put(folder, *contents), tmp_path / "out")
    assert originals(entry, tmp_path / "out") == set(contents)
    assert entry["stacks"][0]["count"] == 1
    assert [bool(i.get("why")) for i in entry["instances"]] == [False, True, True, True, True]


def test_the_picture_a_key_object_names_is_the_key_frame(folder: Path, tmp_path: Path) -> None:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.2"
    image = Dataset()
    image.ValueType, image.ReferencedSOPSequence = "IMAGE", Sequence([reference])
    key_object = blank(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.59", SOPInstanceUID="1.2.99", ContentSequence=Sequence([image]))
    entry = built(put(folder, *(ct_slice(n, position=float(n)) for n in range(1, 10)), saved(key_object)), tmp_path / "out")
    assert entry["stacks"][0]["key"] == 1
    assert struct.unpack_from("<4sII", (tmp_path / "out/0.preview").read_bytes())[2] == 1
    assert "key object" in entry["instances"][-1]["why"]


def test_padding_and_what_lies_outside_the_cells_draw_black_in_the_preview(folder: Path, tmp_path: Path) -> None:
    ds = with_pixels(blank(Modality="CT", RescaleIntercept=-1024, RescaleSlope=1, WindowCenter=40, WindowWidth=400), 16, 16, signed=1)
    cells = np.full((64, 50), 1100, "<i2")
    cells[:, :10] = -2000
    ds.PixelData = cells.tobytes()
    ds.add_new(0x00280120, "US", 63536)  # -2000 with the wrong VR, as the demo study has it
    stack = built(put(folder, saved(ds)), tmp_path / "out")["stacks"][0]
    thumb = np.asarray(Image.open(io.BytesIO(base64.b64decode(stack["thumb"]))).convert("L"))
    coded = np.asarray(Image.open(io.BytesIO(base64.b64decode(stack["keyframe"]))).convert("L"))
    assert stack["padding"] == [-2000, -2000]
    assert stack["table"][0] == -3024
    assert thumb[40:50, 13:16].max() < 20
    assert np.asarray(stack["table"])[coded[:, :6]].max() < -1000
    assert abs(np.median(np.asarray(stack["table"])[coded[:, 20:]]) - 76) < 5


def test_padding_is_black_in_an_inverted_picture_too(folder: Path, tmp_path: Path) -> None:
    ds = with_pixels(blank(PhotometricInterpretation="MONOCHROME1", WindowCenter=2048, WindowWidth=4096), rows=96, cols=96)
    cells = np.full((96, 96), 2000, "<u2")
    cells[:, :32] = 0
    ds.PixelData = cells.tobytes()
    ds.add_new(0x00280120, "US", 0)
    stack = built(put(folder, saved(ds)), tmp_path / "out")["stacks"][0]
    thumb = np.asarray(Image.open(io.BytesIO(base64.b64decode(stack["thumb"]))).convert("L"))
    coded = np.asarray(Image.open(io.BytesIO(base64.b64decode(stack["keyframe"]))).convert("L"))
    assert stack["invert"]
    assert thumb[:, :24].max() < 20
    assert coded[:, :24].min() > 235


def test_a_slope_that_changes_from_slice_to_slice_is_kept_with_its_frame(folder: Path, tmp_path: Path) -> None:
    contents = [ct_slice(n, position=float(n), RescaleSlope=slope) for n, slope in enumerate((1, 1, 2.5))]
    frames = built(put(folder, *contents), tmp_path / "out")["stacks"][0]["frames"]
    assert [frame[3] for frame in frames] == [None, None, 2.5]


def test_a_series_without_any_picture_has_no_stack(folder: Path, tmp_path: Path) -> None:
    entry = built(put(folder, saved(blank())), tmp_path / "out")
    assert entry["stacks"] == []
    assert entry["instances"][0]["mode"] == "verbatim"


def test_every_broken_file_goes_through_and_is_kept(shared_data: Path, tmp_path: Path) -> None:
    files = sorted(f for f in (shared_data / "corrupt").iterdir() if f.is_file())
    entry = built(files, tmp_path / "out")
    assert originals(entry, tmp_path / "out") == {f.read_bytes() for f in files}


@pytest.mark.parametrize(
    ("name", "shown"),
    [("17_jpeg_stream_truncated", 8), ("18_jpeg_two_bad_frames", 2), ("19_fewer_frames_than_declared", 3), ("16_rows_zero", 0)],
)
def test_the_good_frames_of_a_broken_file_are_shown(shared_data: Path, tmp_path: Path, name: str, shown: int) -> None:
    entry = built([shared_data / "corrupt" / f"{name}.dcm"], tmp_path / "out")
    assert sum(stack["count"] for stack in entry["stacks"]) == shown
    assert entry["instances"][0]["why"]


def test_every_file_of_the_collection_makes_a_series(shared_data: Path, tmp_path: Path) -> None:
    for file in sorted((shared_data / "variety").rglob("*.dcm")):
        if "mr-series" in str(file):
            continue
        entry = built([file], tmp_path / "out")
        assert originals(entry, tmp_path / "out") == {file.read_bytes()}, file
        for stack in entry["stacks"]:
            assert len(base64.b64decode(stack["keyframe"])) <= 9000, file
            assert stack["colour"] == (stack["table"] is None), file
