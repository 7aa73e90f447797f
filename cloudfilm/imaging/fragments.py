"""Where the frames of encapsulated Pixel Data lie (PS3.5 A.4): fragments, and the fragments that make a frame."""

import struct
from itertools import pairwise

Range = tuple[int, int]  # offset in the file, length

_FRAGMENTS_MAX = 1_000_000


def fragments(data: bytes, at: int) -> tuple[list[Range], list[int]]:
    """-> (fragments in file order, basic offset table). A fragment cut by the end of the file is given with what is there of it."""
    found: list[Range] = []
    while data[at : at + 4] == b"\xfe\xff\x00\xe0" and at + 8 <= len(data) and len(found) <= _FRAGMENTS_MAX:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((at + 8, min(length, len(data) - at - 8)))
        at += 8 + length
    if not found:
        return [], []
    start, length = found[0]
    table = list(struct.unpack(f"<{length // 4}I", data[start : start + length // 4 * 4]))
    return found[1:], table


def frame_ranges(data: bytes, at: int, declared: int) -> list[list[Range]]:
    """-> for every frame, in order, the fragments it is made of; fewer than `declared` when the file holds fewer."""
    pieces, table = fragments(data, at)
    if len(pieces) == declared:
        return [[piece] for piece in pieces]
    if declared == 1:
        return [pieces] if pieces else []
    if len(table) > 1 and pieces:
        split = _by_table(pieces, table)
        if len(split) == declared:
            return split
    split = _by_marker(data, pieces)
    return split[:declared] if split else [[piece] for piece in pieces[:declared]]


def _by_table(pieces: list[Range], table: list[int]) -> list[list[Range]]:
    base = pieces[0][0] - 8
    out = []
    for start, end in pairwise([*table, 1 << 62]):
        group = [piece for piece in pieces if start <= piece[0] - 8 - base < end]
        if not group:
            return []
        out.append(group)
    return out


def _by_marker(data: bytes, pieces: list[Range]) -> list[list[Range]]:
    """A fragment that begins with a start-of-image or start-of-codestream marker begins a frame (JPEG, JPEG-LS, JPEG 2000)."""
    out: list[list[Range]] = []
    for piece in pieces:
        begins = data[piece[0] : piece[0] + 2] in (b"\xff\xd8", b"\xff\x4f")
        if begins or not out:
            out.append([piece])
        else:
            out[-1].append(piece)
    return out
