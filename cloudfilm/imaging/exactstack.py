"""One copy of an instance: its original bytes with only the pixel frames swapped for JPEG-LS frames (PIXELS.md 5).

mode "jls":      blob = head | frame 0 | frame 1 ... | tail; head and tail are the file's bytes around its pixel cells
mode "verbatim": blob = the file as it came | derived frames, only where a phone cannot decode the file's own

A frame is [at, size, bias, codec, green, crc32], `at` relative to the blob; codec "jls" (samples + bias = cells), "jpeg" (the
browser decodes) or "raw" (cells as in the file). A frame that cannot be decoded is None: kept with the file, not shown.
pack() proves at ingest that rebuild() gives the file back, bit for bit; whatever fails ends in "verbatim", never in a lost file.
"""

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from cloudfilm.imaging import jpegls
from cloudfilm.imaging.elements import NotDicom, read_elements
from cloudfilm.imaging.frames import Frames, frames_of
from cloudfilm.imaging.picture import JPEG_BASELINE, JPEG_LS, CannotShow

Entry = dict[str, Any]
Look = Callable[[int, np.ndarray], None]  # called with each frame that will be shown: its number and its cells


class RebuildFailed(Exception):
    """The original could not be rebuilt from its blob: the blob or its entry is damaged."""


def pack(data: bytes, look: Look | None = None) -> tuple[bytes, Entry]:
    """A received file -> (blob, entry). Never raises for bad pixels: the file is then kept verbatim and `why` says what is wrong."""
    entry: Entry = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "mode": "verbatim", "syntax": "", "frames": []}
    try:
        elements = read_elements(data)
        entry["syntax"] = elements.syntax
        frames = frames_of(elements)
    except (CannotShow, NotDicom) as reason:
        entry["why"] = str(reason)
        return data, entry
    return pack_frames(data, frames, entry, look or _ignore)


def pack_frames(data: bytes, frames: Frames, entry: Entry, look: Look) -> tuple[bytes, Entry]:
    """As pack(), for a file whose elements and frames are already known."""
    entry["cell"] = frames.picture.dtype.str
    entry["planar"] = int(frames.picture.planar and frames.native)
    plain = frames.native and not frames.deflated and frames.picture.allocated > 1 and not frames.picture.subsampled
    if plain and frames.count == frames.picture.frames:
        blob = _swapped(data, frames, entry)
        if blob is not None:
            for index in range(frames.count):
                look(index, frames.cells(index))
            return blob, entry
    if plain:
        return data, _with_raw_frames(data, frames, entry, look)
    blob = _with_derived_frames(data, frames, entry, look)
    missing = frames.picture.frames - sum(frame is not None for frame in entry["frames"])
    if missing:
        entry["why"] = f"{missing} of {frames.picture.frames} frames cannot be decoded. " + entry.get("why", "")
        entry["why"] = entry["why"].strip()
    return blob, entry


def rebuild(blob: bytes, entry: Entry) -> bytes:
    """The received file, bit for bit. Raises RebuildFailed."""
    try:
        original = blob[: entry["size"]] if entry["mode"] == "verbatim" else _unswapped(blob, entry)
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
        raise RebuildFailed("The stored instance is damaged.") from error
    if hashlib.sha256(original).hexdigest() != entry["sha256"]:
        raise RebuildFailed("The rebuilt file differs from the one received.")
    return original


def _ignore(_index: int, _cells: np.ndarray) -> None:
    return


def _swapped(data: bytes, frames: Frames, entry: Entry) -> bytes | None:
    """Mode "jls", or None when it does not pay, or does not give the file back."""
    assert frames.elements.pixels is not None
    start = frames.elements.pixels.at
    parts, listed, at = [data[:start]], [], start
    try:
        for index in range(frames.count):
            stream, bias = jpegls.encode(frames.cells(index))
            listed.append([at, len(stream), bias, "jls", int(frames.picture.samples == 3), zlib.crc32(stream)])
            parts.append(stream)
            at += len(stream)
    except jpegls.CannotEncode:
        return None
    parts.append(data[start + frames.count * frames.picture.frame_bits // 8 :])
    blob = b"".join(parts)
    if len(blob) >= len(data):
        return None
    swapped = {**entry, "mode": "jls", "head": start, "frames": listed}
    try:
        if rebuild(blob, swapped) != data:
            return None
    except RebuildFailed:
        return None
    entry.update(swapped)
    return blob


def _unswapped(blob: bytes, entry: Entry) -> bytes:
    dtype = np.dtype(entry["cell"])
    parts = [blob[: entry["head"]]]
    end = entry["head"]
    for at, size, bias, _codec, _green, crc in entry["frames"]:
        stream = blob[at : at + size]
        if zlib.crc32(stream) != crc:  # before decoding: CharLS may never come back from a damaged stream
            raise RebuildFailed("A stored frame is damaged.")
        cells = jpegls.decode(stream, bias, dtype)
        parts.append((cells.transpose(2, 0, 1) if entry["planar"] else cells).tobytes())
        end = at + size
    parts.append(blob[end:])
    return b"".join(parts)


def _with_raw_frames(data: bytes, frames: Frames, entry: Entry, look: Look) -> Entry:
    """Uncompressed cells that JPEG-LS does not shrink, or not all frames there: the phone reads the cells themselves."""
    assert frames.elements.pixels is not None
    size = frames.picture.frame_bits // 8
    for index in range(frames.count):
        at = frames.elements.pixels.at + index * size
        entry["frames"].append([at, size, 0, "raw", 0, zlib.crc32(data[at : at + size])])
        look(index, frames.cells(index))
    if frames.count < frames.picture.frames:
        entry["why"] = f"The file holds {frames.count} of {frames.picture.frames} frames."
    return entry


def _with_derived_frames(data: bytes, frames: Frames, entry: Entry, look: Look) -> bytes:
    parts, end = [data], len(data)
    for index in range(frames.count):
        try:
            codec, bias, green, stream = _for_the_phone(frames, index, look)
        except (CannotShow, jpegls.CannotEncode) as reason:
            entry["frames"].append(None)
            entry["why"] = str(reason)
            continue
        at = end
        ranges = frames.ranges[index] if frames.ranges is not None else []
        if codec != "derived" and len(ranges) == 1:
            at = ranges[0][0]
        else:  # not in the file as one piece
            parts.append(stream)
            end += len(stream)
        entry["frames"].append([at, len(stream), bias, "jls" if codec == "derived" else codec, green, zlib.crc32(stream)])
    if not any(entry["frames"]):
        entry["frames"] = []
    return b"".join(parts)


def _for_the_phone(frames: Frames, index: int, look: Look) -> tuple[str, int, int, bytes]:
    cells = frames.cells(index)
    syntax = frames.elements.syntax
    if syntax == JPEG_BASELINE and frames.browser_draws(stream := frames.stream(index)):
        chosen = ("jpeg", 0, 0, stream)
    elif syntax in JPEG_LS:
        chosen = ("jls", 0, 0, frames.stream(index))
    else:
        stream, bias = jpegls.encode(cells)
        if (jpegls.decode(stream, bias, cells.dtype) != cells).any():
            raise jpegls.CannotEncode("The frame cannot be kept exactly.")
        chosen = ("derived", bias, int(cells.ndim == 3), stream)
    look(index, cells)
    return chosen
