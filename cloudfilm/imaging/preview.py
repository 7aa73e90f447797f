"""The preview tier: WebP frames under rate control, the stack object PVS1, key frame and thumbnail (PIXELS.md 4)."""

import io
import struct
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

QUALITIES = (60, 45, 35, 25, 18, 12)
FRAME_BYTES_LONG = 10_000  # mean of a frame, stacks over LONG_STACK frames
FRAME_BYTES_SHORT = 25_000
LONG_STACK = 64
SIDE_MAX = 2048  # larger pictures are mean-reduced by a whole factor
KEY_BYTES_MAX = 6_000  # the page around it needs the rest of the first flight of 14 KB
KEY_SIDES = (1024, 512, 384, 256, 128)
THUMB_SIDE = 96
THUMB_BYTES_MAX = 2_000

Shown = np.ndarray  # uint8: codes or grey (rows, cols), or RGB (rows, cols, 3)


def webp(picture: Shown, quality: int, method: int = 4) -> bytes:
    """Lossy WebP; codes and grey become R = G = B."""
    out = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    (image if image.mode == "RGB" else image.convert("RGB")).save(out, "WEBP", quality=quality, method=method)
    return out.getvalue()


def stack_quality(samples: Sequence[Shown], count: int) -> int:
    """Rate control: the first quality whose mean over the samples fits a frame's share; the lowest when none does."""
    limit = FRAME_BYTES_LONG if count > LONG_STACK else FRAME_BYTES_SHORT
    for quality in QUALITIES[:-1]:
        total = 0
        for sample in samples:
            total += len(webp(sample, quality))
            if total > limit * len(samples):
                break
        else:
            return quality
    return QUALITIES[-1]


def reduction(rows: int, cols: int, side: int = SIDE_MAX) -> int:
    """The whole factor that brings the longer side to at most `side`."""
    return max(1, -(-max(rows, cols) // side))


def reduced(values: np.ndarray, factor: int) -> np.ndarray:
    """Mean over factor x factor blocks; a rest at the right and bottom edge is averaged from what is there."""
    if factor == 1:
        return values
    rows, cols = values.shape[:2]
    down = [np.arange(0, rows, factor), np.arange(0, cols, factor)]
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float32), down[0], 0), down[1], 1)
    heights = np.minimum(factor, rows - down[0]).astype(np.float32)
    widths = np.minimum(factor, cols - down[1]).astype(np.float32)
    area = heights[:, None] * widths[None, :]
    mean = sums / (area[..., None] if values.ndim == 3 else area)
    return np.rint(mean).astype(values.dtype) if values.dtype.kind in "iu" else mean.astype(values.dtype)


def transfer_order(count: int, key: int) -> list[int]:
    """Key frame, every 16th, 8th, 4th, 2nd, the rest; each index once."""
    return list(dict.fromkeys([key, *(i for step in (16, 8, 4, 2, 1) for i in range(0, count, step))]))


def pvs1(frames: Sequence[bytes], key: int) -> Iterable[bytes]:
    """The stack object in parts: "PVS1", u32 count, u32 key, the sizes in transfer order, the frames in that order."""
    order = transfer_order(len(frames), key)
    yield struct.pack("<4sII", b"PVS1", len(frames), key) + struct.pack(f"<{len(order)}I", *(len(frames[i]) for i in order))
    for index in order:
        yield frames[index]


def key_frame(picture: Shown, quality: int) -> tuple[bytes, int, int]:
    """-> (WebP, rows, cols): the picture inside the first response, at most KEY_BYTES_MAX.

    `quality`: the stack's; a finer key frame than the stack behind it would be a promise not kept. A smaller picture of fair quality
    is preferred to a large one of bad quality: noise costs bytes, and a smaller side averages it away.
    """
    steps = [q for q in QUALITIES if 18 <= q <= quality] or [quality]
    for side in KEY_SIDES:
        small = _sized(picture, side)
        for step in steps:
            coded = webp(small, step, method=6)
            if len(coded) <= KEY_BYTES_MAX:
                return coded, *small.shape[:2]
    raise AssertionError("a WebP of 128 x 128 is below 6 KB")


def _sized(picture: Shown, side: int) -> Shown:
    """The picture with its longer side at most `side`, each new pixel the mean of those it covers."""
    rows, cols = picture.shape[:2]
    factor = max(rows, cols) / side
    if factor <= 1:
        return picture
    size = (max(1, round(cols / factor)), max(1, round(rows / factor)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def thumbnail(picture: Shown) -> bytes:
    """96 x 96 WebP of a windowed picture, its sides kept in proportion on black, at most 2 KB."""
    image = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    image.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BOX)
    square = Image.new("RGB", (THUMB_SIDE, THUMB_SIDE))
    square.paste(image, ((THUMB_SIDE - image.width) // 2, (THUMB_SIDE - image.height) // 2))
    coded = b""
    for quality in (70, 50, 30, 15, 5):
        coded = webp(np.asarray(square), quality)
        if len(coded) <= THUMB_BYTES_MAX:
            break
    return coded
