"""The frames of one instance: where each lies, and its cells."""

import struct
from dataclasses import dataclass

import numpy as np

from cloudfilm.imaging import decoders
from cloudfilm.imaging import picture as layout
from cloudfilm.imaging.elements import DEFLATED_LE, Elements
from cloudfilm.imaging.fragments import Range, frame_ranges
from cloudfilm.imaging.picture import CannotShow, Picture, picture_of


@dataclass(frozen=True, slots=True)
class Frames:
    """An instance's frames. `ranges` is None for uncompressed data."""

    elements: Elements
    picture: Picture
    ranges: list[list[Range]] | None
    count: int  # frames that are there, at most as many as declared

    @property
    def native(self) -> bool:
        return self.ranges is None

    @property
    def deflated(self) -> bool:
        """Offsets are into the inflated data set, not into the file."""
        return self.elements.syntax == DEFLATED_LE

    def stream(self, index: int) -> bytes:
        """The joined bytes of compressed frame `index`, 0-based."""
        if self.ranges is None or not 0 <= index < len(self.ranges):
            raise CannotShow("The file does not hold this frame.")
        data = self.elements.data
        return b"".join(data[at : at + size] for at, size in self.ranges[index])

    def cells(self, index: int) -> np.ndarray:
        """Cells of frame `index`, 0-based: (rows, cols) or (rows, cols, 3). Raises CannotShow."""
        try:
            return self._decoded(index)
        except (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError, struct.error) as error:
            raise CannotShow("A frame is damaged.") from error  # what decoders throw at hostile bytes is not written down anywhere

    def _decoded(self, index: int) -> np.ndarray:
        if self.ranges is None:
            assert self.elements.pixels is not None
            return decoders.native(self.elements.data, self.elements.pixels.at, index, self.picture)
        stream, syntax, picture = self.stream(index), self.elements.syntax, self.picture
        if not stream:
            raise CannotShow("A frame is empty.")
        if syntax == layout.RLE:
            return decoders.rle(stream, picture)
        if syntax in layout.JPEG_2000:
            return decoders.jpeg2000(stream, picture)
        if syntax == layout.JPEG_BASELINE or (syntax == layout.JPEG_EXTENDED and decoders.jpeg_frame(stream)[0] == 8):
            return decoders.jpeg_as_browsers_do(stream, picture) if self.browser_draws(stream) else decoders.jpeg_as_stored(stream, picture)
        if syntax == layout.JPEG_EXTENDED or syntax in layout.JPEG_LOSSLESS or syntax in layout.JPEG_LS:
            return decoders.jpeg_by_gdcm(stream, picture, syntax)
        if syntax == layout.DEFLATED_FRAME:
            return decoders.deflated(stream, picture)
        raise CannotShow("Its transfer syntax is not one we can decode.")

    def browser_draws(self, stream: bytes) -> bool:
        """A JPEG frame that every browser shows in its true colours: 8 bit, and RGB only with an Adobe marker saying so."""
        if self.elements.syntax != layout.JPEG_BASELINE or decoders.jpeg_frame(stream)[0] != 8:
            return False
        return self.picture.samples == 1 or self.picture.photometric != "RGB" or decoders.adobe_transform(stream) == 0

    @property
    def photometric(self) -> str:
        """Colour space of `cells`: as declared, but RGB where the codec has undone its transform."""
        picture, syntax = self.picture, self.elements.syntax
        if picture.samples == 1:
            return picture.photometric
        if syntax in layout.JPEG_2000 and picture.photometric in ("YBR_RCT", "YBR_ICT"):
            return "RGB"
        if syntax == layout.JPEG_BASELINE and self.count and self.ranges:
            return "RGB"
        return "YBR_FULL" if picture.photometric.startswith("YBR") else picture.photometric


def frames_of(elements: Elements) -> Frames:
    """Raises CannotShow when there is nothing to draw."""
    picture = picture_of(elements)
    pixels = elements.pixels
    assert pixels is not None
    if pixels.length < 0:
        ranges = frame_ranges(elements.data, pixels.at, picture.frames)
        if not ranges:
            raise CannotShow("Its pixel data is empty.")
        return Frames(elements, picture, ranges, len(ranges))
    there = min(pixels.length, len(elements.data) - pixels.at) * 8
    count = min(picture.frames, there // picture.frame_bits)
    if not count:
        raise CannotShow("Its pixel data is shorter than its rows and columns need.")
    return Frames(elements, picture, None, count)
