"""JPEG-LS lossless streams of the exact tier (ITU-T T.87, ISO 14495-1), coded with CharLS through pyjpegls.

Grey: samples = cells - bias, bias = the smallest cell, in as few bits as that needs. Colour: three scans of R-G, G, B-G modulo the
cell size, which halves what plain RGB costs on ultrasound. Only our own streams are decoded here: CharLS never returns from some
damaged ones (DEPENDENCIES.md 4), so foreign streams go to gdcm, and ours are compared with their checksum first.
"""

import jpeg_ls
import numpy as np


class CannotEncode(Exception):
    """CharLS gave up (tiny pictures, pure noise): the cells are kept as they are."""


def encode(cells: np.ndarray) -> tuple[bytes, int]:
    """cells: integers, shape (rows, cols) or (rows, cols, 3), 8 or 16 bit -> (stream, bias)."""
    rows, cols = cells.shape[:2]
    if cells.ndim == 3:
        bits = cells.dtype.itemsize * 8
        bias, count, samples = 0, 3, _decorrelated(cells, bits)
    else:
        bias, count = int(cells.min()), 1
        bits = max(2, (int(cells.max()) - bias).bit_length())
        native = cells.astype(cells.dtype.newbyteorder("="), copy=False)
        wrapped = native.view(f"u{native.dtype.itemsize}") - np.array(bias).astype(native.dtype).view(f"u{native.dtype.itemsize}")
        samples = wrapped if bits > 8 else wrapped.astype(np.uint8)
    try:
        stream = jpeg_ls.encode_buffer(np.ascontiguousarray(samples).tobytes(), rows, cols, count, bits, 0, 0)
    except (RuntimeError, ValueError) as error:
        raise CannotEncode(str(error)) from error
    return bytes(stream), bias


def decode(stream: bytes, bias: int, dtype: np.dtype) -> np.ndarray:
    """The cells of one of our own streams, in `dtype`; shape (rows, cols) or (rows, cols, 3)."""
    raw, info = jpeg_ls.decode_buffer(stream)
    bits, rows, cols = info["bits_per_sample"], info["height"], info["width"]
    samples = np.frombuffer(raw, np.uint16 if bits > 8 else np.uint8)
    if info["components"] == 1:
        unsigned = np.dtype(f"u{dtype.itemsize}")
        shifted = samples.astype(unsigned, copy=False).reshape(rows, cols) + np.array(bias).astype(unsigned)
        return shifted.view(dtype.newbyteorder("=")).astype(dtype, copy=False)
    planes = samples.astype(np.int32).reshape(3, rows, cols)
    half = 1 << bits - 1
    green = planes[1]
    rgb = np.stack([planes[0] + green - half, green, planes[2] + green - half], -1) & (1 << bits) - 1
    return rgb.astype(f"u{dtype.itemsize}").view(dtype.newbyteorder("=")).astype(dtype, copy=False)


def _decorrelated(cells: np.ndarray, bits: int) -> np.ndarray:
    wide = cells.astype(np.int32)
    half, green = 1 << bits - 1, wide[..., 1]
    planes = np.stack([wide[..., 0] - green + half, green, wide[..., 2] - green + half]) & (1 << bits) - 1
    return planes.astype(np.uint16 if bits > 8 else np.uint8)
