"""The elements of a DICOM file as they lie in its bytes (PS3.5 chapter 7, PS3.10 chapter 7).

Our own reader because the product needs what a general library does not promise: where each value lies in the file (the exact
stack swaps the pixel bytes and nothing else), the raw bytes of a name (its character set is often declared wrongly), and an end
for every input: no recursion, no allocation from a length a file claims, no exception but NotDicom. Only offsets are kept.
"""

import math
import struct
import zlib
from dataclasses import dataclass, field, replace

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE = "1.2.840.10008.1.2.2"

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)  # float, double float, Pixel Data: an image has one of them
UNDEFINED = 0xFFFFFFFF
INFLATED_BYTES_MAX = 1 << 30  # a deflated data set may not grow beyond this: a 1 MB bomb would make 1 GB
DEPTH_MAX = 20_000  # sequences in sequences that are stepped over; deeper is no medical file

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # VRs with a 32-bit length, PS3.5 7.1.2


class NotDicom(Exception):
    """These bytes cannot be filed as a DICOM instance; the sentence says why."""


class _HeaderEnds(Exception):
    """The bytes end, or stop making sense, at this place: what was read before it stands."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: where its value lies. `length` is -1 when the value is of undefined length."""

    vr: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of one data set or item. `data` is the whole file (inflated when the syntax deflates); offsets point into it."""

    data: bytes
    found: dict[int, Element]
    explicit: bool
    little: bool
    end: int  # where reading stopped: the pixel element, the end of the item, or the end of what made sense
    complete: bool = True  # False: the header broke off
    pixels: Element | None = None
    syntax: str = ""  # transfer syntax of the file, "" when neither declared nor needed
    flags: tuple[str, ...] = field(default=())

    def __contains__(self, tag: int) -> bool:
        return tag in self.found

    def raw(self, tag: int) -> bytes:
        """The value's bytes, b"" when absent or of undefined length."""
        one = self.found.get(tag)
        return b"" if one is None or one.length <= 0 else self.data[one.at : one.at + one.length]

    def text(self, tag: int) -> str:
        """A value of the default repertoire (UI, CS, DA, DS ...), padding removed. Never raises."""
        return self.raw(tag).decode("latin-1").strip(" \0\t\r\n")

    def words(self, tag: int) -> tuple[str, ...]:
        """The values of a multi-valued text element, each stripped."""
        text = self.text(tag)
        return tuple(part.strip(" \0") for part in text.split("\\")) if text else ()

    def reals(self, tag: int) -> tuple[float, ...]:
        """DS or IS values; a part that is no finite number ends the list, so that "nan" never reaches arithmetic."""
        out: list[float] = []
        for word in self.words(tag):
            try:
                value = float(word)
            except ValueError:
                break
            if not math.isfinite(value):
                break
            out.append(value)
        return tuple(out)

    def real(self, tag: int, default: float | None = None) -> float | None:
        values = self.reals(tag)
        return values[0] if values else default

    def whole(self, tag: int, default: int | None = None) -> int | None:
        """The first IS value as an integer ("3", " 3.0 "); `default` when there is none."""
        value = self.real(tag)
        return default if value is None or abs(value) > 1e15 else int(value)

    def shorts(self, tag: int, *, signed: bool = False) -> tuple[int, ...]:
        """US or SS values."""
        raw = self.raw(tag)
        count = len(raw) // 2
        return struct.unpack(f"{'<' if self.little else '>'}{count}{'h' if signed else 'H'}", raw[: count * 2])

    def short(self, tag: int, default: int = 0) -> int:
        values = self.shorts(tag)
        return values[0] if values else default

    def longs(self, tag: int, *, signed: bool = False) -> tuple[int, ...]:
        """UL or SL values."""
        raw = self.raw(tag)
        count = len(raw) // 4
        return struct.unpack(f"{'<' if self.little else '>'}{count}{'i' if signed else 'I'}", raw[: count * 4])

    def doubles(self, tag: int) -> tuple[float, ...]:
        """FD values, finite ones only."""
        raw = self.raw(tag)
        count = len(raw) // 8
        values = struct.unpack(f"{'<' if self.little else '>'}{count}d", raw[: count * 8])
        return values if all(map(math.isfinite, values)) else ()

    def items(self, tag: int, most: int = 20_000) -> list["Elements"]:
        """The items of a sequence; [] when it is absent or is not one. One level only: ask an item for its own sequences."""
        one = self.found.get(tag)
        if one is None or one.length == 0:
            return []
        return _items(self, one, most)


def read_elements(data: bytes, *, inflated_max: int = INFLATED_BYTES_MAX) -> Elements:
    """The elements of a file's main data set up to its pixels. `inflated_max`: of a deflated file, at most so many bytes.

    A file without preamble, prefix or meta group is read as well when its first elements look like DICOM; its transfer syntax is
    then guessed from them. Raises NotDicom when no data set is found.
    """
    flags: list[str] = []
    at = _data_set_start(data, flags)
    meta = _scan(data, at, len(data), explicit=True, little=True, group_only=2)
    syntax = meta.text(0x00020010)
    at = meta.end
    if not syntax:
        flags.append("syntax-guessed")
        syntax = IMPLICIT_LE if not _looks_explicit(data, at) else EXPLICIT_LE
    if syntax == DEFLATED_LE:
        data, at = _inflate(data, at, inflated_max), 0
    little = syntax != EXPLICIT_BE
    explicit = syntax != IMPLICIT_LE
    if explicit != _looks_explicit(data, at) and len(data) - at >= 8:
        explicit = not explicit  # declared wrongly; the bytes themselves are the witness
        flags.append("syntax-mismatch")
    found = _scan(data, at, len(data), explicit=explicit, little=little)
    if not found.found:
        raise NotDicom("The file holds no DICOM data set.")
    if not found.complete and syntax != DEFLATED_LE:
        flags.append("truncated")
    return replace(found, syntax=syntax, flags=tuple(flags))


def _data_set_start(data: bytes, flags: list[str]) -> int:
    if len(data) < 8:
        raise NotDicom("The file is empty." if not data else "The file is too short to be DICOM.")
    if data[128:132] == b"DICM":
        if len(data) < 140:
            raise NotDicom("The file ends after its DICOM prefix.")
        return 132
    flags.append("no-preamble")
    for at in (0, 132):  # the file may begin with its meta group or data set; or the prefix itself was overwritten
        head = data[at : at + 8]
        if len(head) == 8 and head[:2] in (b"\2\0", b"\10\0") and (_vr(head[4:6]) or int.from_bytes(head[4:8], "little") < 1024):
            return at
    raise NotDicom("The file is not DICOM: it has neither the prefix DICM nor a first element of group 0002 or 0008.")


def _inflate(data: bytes, at: int, most: int) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(data[at:], most)
    except zlib.error as error:
        raise NotDicom("The deflated data set cannot be inflated.") from error


def _vr(two: bytes) -> str:
    """The VR these two bytes name, "" when they cannot be one."""
    return two.decode("ascii") if len(two) == 2 and 65 <= two[0] <= 90 and 65 <= two[1] <= 90 else ""


def _looks_explicit(data: bytes, at: int) -> bool:
    return bool(_vr(data[at + 4 : at + 6]))


def _scan(
    data: bytes,
    at: int,
    end: int,
    *,
    explicit: bool,
    little: bool,
    stop: int = 0x7FE00008,
    group_only: int | None = None,
    item: bool = False,
) -> Elements:
    """Step from element to element. Stops at `stop`, at a group other than `group_only`, at an item's delimiter, or where bytes end."""
    order = "<" if little else ">"
    head = struct.Struct(order + "HH2sH").unpack_from
    u32 = struct.Struct(order + "I").unpack_from
    found: dict[int, Element] = {}
    complete = True
    pixels: Element | None = None
    try:
        while at + 8 <= end:
            group, number, vr_bytes, length = head(data, at)
            tag = group << 16 | number
            if group_only is not None and group != group_only:
                break
            if item and tag == _ITEM_END:
                at += 8
                break
            if group == 0xFFFE and not item:  # an item whose sequence header was lost (seen in real files): step over it
                length = u32(data, at + 4)[0]
                at += 8 + (length if tag == _ITEM and length != UNDEFINED else 0)
                if at > end:
                    raise _HeaderEnds
                continue
            is_pixels = tag in PIXEL_TAGS and not item
            if tag >= stop and not is_pixels:
                break
            vr = ""
            if explicit and vr_bytes.isalpha() and vr_bytes.isupper():
                vr = vr_bytes.decode("ascii")
                value = at + 8
                if vr_bytes in _LONG:
                    if at + 12 > end:
                        raise _HeaderEnds
                    length = u32(data, at + 8)[0]
                    value = at + 12
            else:  # implicit, or an element without a legal VR inside an explicit data set: PS3.5 7.1.3 layout
                length = u32(data, at + 4)[0]
                value = at + 8
            if is_pixels:
                pixels = Element(vr, value, -1 if length == UNDEFINED else length)
                found[tag] = pixels
                break
            if length == UNDEFINED:
                after = _step_over(data, value, end, explicit=explicit and vr != "UN", little=little)
                found.setdefault(tag, Element(vr, value, -1))
            else:
                after = value + length
                if after > end:
                    raise _HeaderEnds
                found.setdefault(tag, Element(vr, value, length))
            at = after
        else:
            complete = at == end or not any(data[at:end]) if end - at < 8 else True
    except _HeaderEnds:
        complete = False
    return Elements(data, found, explicit, little, at, complete, pixels)


def _step_over(data: bytes, at: int, end: int, *, explicit: bool, little: bool) -> int:
    """-> the offset after a value of undefined length that begins at `at`. Iterative: nesting costs a list entry, not a stack frame."""
    order = "<" if little else ">"
    head = struct.Struct(order + "HH2sH").unpack_from
    u32 = struct.Struct(order + "I").unpack_from
    stack = [explicit]  # one entry an open sequence or item: are the elements inside it explicit?
    while stack:
        if at + 8 > end or len(stack) > DEPTH_MAX:
            raise _HeaderEnds
        group, number, vr_bytes, short = head(data, at)
        tag = group << 16 | number
        if tag in (_ITEM_END, _SEQUENCE_END):
            stack.pop()
            at += 8
            continue
        vr = b""
        if tag != _ITEM and stack[-1] and vr_bytes.isalpha() and vr_bytes.isupper():
            vr = vr_bytes
        if vr and vr not in _LONG:
            length, at = short, at + 8
        elif vr:
            if at + 12 > end:
                raise _HeaderEnds
            length, at = u32(data, at + 8)[0], at + 12
        else:
            length, at = u32(data, at + 4)[0], at + 8
        if length == UNDEFINED:
            stack.append(stack[-1] and vr != b"UN")
        else:
            at += length
            if at > end:
                raise _HeaderEnds
    return at


def _items(parent: Elements, one: Element, most: int) -> list[Elements]:
    data, little = parent.data, parent.little
    end = len(data) if one.length < 0 else one.at + one.length
    out: list[Elements] = []
    at = one.at
    unpack = struct.Struct(("<" if little else ">") + "HHI").unpack_from
    while at + 8 <= end and len(out) < most:
        group, number, length = unpack(data, at)
        if (group << 16 | number) != _ITEM:
            break
        at += 8
        explicit = parent.explicit
        if one.vr == "UN":  # PS3.5 6.2.2 says implicit; writers disagree, the bytes decide
            explicit = _looks_explicit(data, at)
        if length == UNDEFINED:
            item = _scan(data, at, end, explicit=explicit, little=little, stop=_ITEM + 1, item=True)
            at = item.end
        else:
            item = _scan(data, at, min(at + length, end), explicit=explicit, little=little, stop=_ITEM + 1, item=True)
            at += length
        out.append(item)
        if not item.complete:
            break
    return out
