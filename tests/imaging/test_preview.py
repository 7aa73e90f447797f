"""Codes, quality, the stack object."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from cloudfilm.imaging import preview
from cloudfilm.imaging.companding import GUARD, codes_of, companding_table
from cloudfilm.imaging.windows import Window

CHEST = np.concatenate([np.random.default_rng(1).normal(m, 60, 9000) for m in (-850, 40, 300)])


def test_a_table_rises_and_covers_what_ct_shows() -> None:
    table = companding_table(CHEST, [Window(40, 400)], ct=True, lowest=None)
    assert table.shape == (256,)
    assert (np.diff(table) >= 0).all()
    assert table[0] >= -1024
    assert abs(table[-1] - np.percentile(CHEST, 99.99)) < 2


def test_codes_lie_closer_inside_the_windows_than_outside() -> None:
    values = np.linspace(-1000, 2800, 100_000)
    table = companding_table(values, [Window(40, 80)], ct=True, lowest=None)
    inside = np.ptp(table[(table > 0) & (table < 80)]) / max(1, np.count_nonzero((table > 0) & (table < 80)) - 1)
    outside = np.ptp(table[table > 1500]) / max(1, np.count_nonzero(table > 1500) - 1)
    assert inside < 2
    assert outside > 10 * inside


def test_padding_far_below_gets_guard_codes() -> None:
    table = companding_table(CHEST, [Window(40, 400)], ct=True, lowest=-3024)
    assert table[0] == -3024
    assert -1030 <= table[GUARD] <= -1000
    assert codes_of(np.array([-3024.0, -1000.0]), table)[0] == 0
    assert codes_of(np.array([-1000.0]), table)[0] >= GUARD


@pytest.mark.parametrize("values", [np.array([]), np.zeros(9), np.array([5.0]), np.linspace(0, 0.004, 500), np.linspace(0, 65535, 999)])
def test_any_values_give_a_table_that_keeps_them_apart(values: np.ndarray) -> None:
    table = companding_table(values, [Window(0.5, 1)], ct=False, lowest=None)
    assert np.isfinite(table).all()
    assert (np.diff(table) >= 0).all()
    if values.size > 2 and np.ptp(values):
        assert len(np.unique(codes_of(values, table))) > 150


@pytest.mark.parametrize(("count", "key"), [(1, 0), (2, 1), (17, 8), (100, 50), (300, 299)])
def test_every_frame_is_sent_once_the_key_first_then_every_16th(count: int, key: int) -> None:
    order = preview.transfer_order(count, key)
    assert sorted(order) == list(range(count))
    assert order[0] == key
    coarse = [i for i in range(0, count, 16) if i != key]
    assert order[1 : 1 + len(coarse)] == coarse


def test_the_stack_object_reads_back() -> None:
    frames = [bytes([i]) * (i + 1) for i in range(20)]
    stack = b"".join(preview.pvs1(frames, 7))
    magic, count, key = struct.unpack_from("<4sII", stack)
    sizes = struct.unpack_from(f"<{count}I", stack, 12)
    at, found = 12 + 4 * count, {}
    for index, size in zip(preview.transfer_order(count, key), sizes, strict=True):
        found[index] = stack[at : at + size]
        at += size
    assert magic == b"PVS1"
    assert [found[i] for i in range(20)] == frames
    assert at == len(stack)


def test_a_noisy_stack_gets_a_lower_quality_than_a_smooth_one() -> None:
    rng = np.random.default_rng(2)
    smooth = np.tile(np.linspace(0, 255, 512).astype(np.uint8), (512, 1))
    noisy = np.clip(smooth + rng.normal(0, 25, smooth.shape), 0, 255).astype(np.uint8)
    assert preview.stack_quality([smooth], 100) == 60
    chosen = preview.stack_quality([noisy], 100)
    assert chosen < 60
    assert chosen == 12 or len(preview.webp(noisy, chosen)) <= preview.FRAME_BYTES_LONG


def test_mean_reduction_averages_blocks_and_what_is_left_at_the_edge() -> None:
    picture = np.arange(20, dtype=np.uint8).reshape(4, 5)
    small = preview.reduced(picture, 2)
    assert small.tolist() == [[3, 5, 6], [13, 15, 16]]  # (0+1+5+6)/4 = 3, (4+9)/2 = 6.5 -> 6 (to even)
    assert preview.reduction(1000, 2049) == 2
    assert preview.reduction(2048, 10) == 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (512, 512), (2000, 1500), (64, 64, 3)])
def test_key_frames_and_thumbnails_keep_to_their_sizes_even_for_noise(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    coded, rows, cols = preview.key_frame(picture, 60)
    assert len(coded) <= preview.KEY_BYTES_MAX
    assert Image.open(io.BytesIO(coded)).size == (cols, rows)
    thumb = preview.thumbnail(picture)
    assert len(thumb) <= preview.THUMB_BYTES_MAX
    assert Image.open(io.BytesIO(thumb)).size == (96, 96)
