"""Single byte ranges (RFC 9110 14): what a phone asks of a stack. Pure."""

import re
from dataclasses import dataclass


class RangeRefused(Exception):
    """Nothing of the object lies in the range, or several ranges were asked: 416."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes [start, start + length) of an object of `size`; `whole`: no range was asked."""

    start: int
    length: int
    size: int
    whole: bool

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def read(header: str, size: int) -> Span:
    """The span that a Range header asks of `size` bytes. Another unit or a malformed header is as none; raises RangeRefused."""
    found = re.fullmatch(r"bytes\s*=\s*(.*)", header.strip(), re.IGNORECASE)
    if not header or not found:
        return Span(0, size, size, True)
    if "," in found[1]:
        raise RangeRefused
    one = re.fullmatch(r"\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", found[1])
    if not one or one.groups() == ("", ""):
        return Span(0, size, size, True)
    first, last = one.groups()
    if first == "":
        length = min(int(last), size)
        start, end = size - length, size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < start:
            return Span(0, size, size, True)
    if start >= end:
        raise RangeRefused
    return Span(start, end - start, size, False)
