"""How an instance's pixels are laid out (PS3.3 C.7.6.3), checked against the bytes that are really there."""

from dataclasses import dataclass

import numpy as np

from cloudfilm.imaging.elements import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, Elements

SAMPLES_MAX = 1 << 27  # of one frame: 134 million, 11,585 x 11,585; a header that claims more is not believed
FRAMES_MAX = 20_000  # of one instance

DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
JPEG_2000 = tuple("1.2.840.10008.1.2.4." + last for last in ("90", "91", "92", "93", "201", "202", "203"))
RLE = "1.2.840.10008.1.2.5"
VIDEO = tuple("1.2.840.10008.1.2.4." + str(last) for last in (*range(100, 109),))
NATIVE = (IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE)
DECODED = (JPEG_BASELINE, JPEG_EXTENDED, *JPEG_LOSSLESS, *JPEG_LS, *JPEG_2000, RLE, DEFLATED_FRAME)
LOSSY = (JPEG_BASELINE, JPEG_EXTENDED, JPEG_LS[1], "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.4.203")


class CannotShow(Exception):
    """This instance, or this frame, can be kept but not shown; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Layout of the pixel cells of every frame of one instance."""

    rows: int
    cols: int
    samples: int  # 1 grey or palette index, 3 colour
    allocated: int  # bits of a cell: 1, 8 or 16
    stored: int
    high: int
    signed: bool
    planar: bool  # native data only: planes one after another
    photometric: str
    frames: int  # as declared
    big_endian: bool
    lossy: bool

    @property
    def dtype(self) -> np.dtype:
        """numpy type of one cell as it lies in a native file. Packed 1-bit cells come out as bytes."""
        letter = "i" if self.signed and self.allocated > 1 else "u"
        return np.dtype(f"{letter}{max(1, self.allocated // 8)}").newbyteorder(">" if self.big_endian else "<")

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame. YBR_FULL_422 keeps two samples a pixel (C.7.6.3.1.2)."""
        samples = 2 if self.subsampled else self.samples
        return self.rows * self.cols * samples * self.allocated

    @property
    def subsampled(self) -> bool:
        return self.samples == 3 and self.photometric.endswith("422")


def picture_of(elements: Elements) -> Picture:
    """Raises CannotShow when these are not cells we can draw."""
    if elements.pixels is None:
        raise CannotShow("It holds no picture.")
    if elements.syntax in VIDEO:
        raise CannotShow("It is a video.")
    if elements.syntax not in NATIVE and elements.syntax not in DECODED:
        raise CannotShow("Its transfer syntax is not one we can decode.")
    if 0x7FE00010 not in elements:
        raise CannotShow("Its values are floating-point numbers, not grey levels.")
    rows, cols = elements.short(0x00280010), elements.short(0x00280011)
    samples = elements.short(0x00280002, 1)
    allocated = elements.short(0x00280100)
    stored = elements.short(0x00280101, allocated) or allocated
    high = elements.short(0x00280102, stored - 1)
    frames = elements.whole(0x00280008, 1) or 1
    if not rows or not cols:
        raise CannotShow("Its rows or columns are 0.")
    if samples not in (1, 3):
        raise CannotShow(f"Its pixels have {samples} samples.")
    if allocated not in (1, 8, 16):
        raise CannotShow(f"Its cells have {allocated} bits.")
    if rows * cols * samples > SAMPLES_MAX:
        raise CannotShow("Its rows and columns are larger than any picture we draw.")
    if not 1 <= frames <= FRAMES_MAX:
        raise CannotShow(f"It claims {frames} frames.")
    if not (0 < stored <= allocated and stored - 1 <= high < allocated):
        stored, high = allocated, allocated - 1  # a damaged description: the whole cell counts
    return Picture(
        rows=rows,
        cols=cols,
        samples=samples,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=elements.short(0x00280103) == 1,
        planar=samples == 3 and elements.short(0x00280006) == 1,
        photometric=elements.text(0x00280004) or ("RGB" if samples == 3 else "MONOCHROME2"),
        frames=frames,
        big_endian=elements.syntax == EXPLICIT_BE,
        lossy=elements.syntax in LOSSY or elements.text(0x00282110) == "01",
    )
