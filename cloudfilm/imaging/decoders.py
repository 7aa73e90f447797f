"""One compressed frame to its cells, a library each (DEPENDENCIES.md 4). Run in a child process with a clock and a memory limit.

Every function takes the frame's joined bytes and gives an array of shape (rows, cols) or (rows, cols, 3) in native byte order, or
raises CannotShow. Colour is as stored, except where the codec itself undoes a transform (JPEG 2000).
"""

import io
import struct
import zlib

import gdcm
import numpy as np
import openjpeg
from PIL import Image
from pydicom.pixels.decoders.rle import _rle_decode_frame

from cloudfilm.imaging.picture import CannotShow, Picture


def rle(stream: bytes, picture: Picture) -> np.ndarray:
    """RLE Lossless, PS3.5 annex G."""
    try:
        raw = _rle_decode_frame(stream, picture.rows, picture.cols, picture.samples, picture.allocated)
    except (ValueError, IndexError, struct.error) as error:
        raise CannotShow("An RLE frame is damaged.") from error
    dtype = picture.dtype.newbyteorder("<")
    cells = np.frombuffer(raw, dtype)
    if cells.size != picture.rows * picture.cols * picture.samples:
        raise CannotShow("An RLE frame is too short.")
    if picture.samples == 1:
        return cells.reshape(picture.rows, picture.cols)
    return cells.reshape(3, picture.rows, picture.cols).transpose(1, 2, 0)  # planes, PS3.5 G.2


def jpeg2000(stream: bytes, picture: Picture) -> np.ndarray:
    """JPEG 2000 and HTJ2K; RCT and ICT are undone by the codec."""
    begin = max(0, stream.find(b"\xff\x4f\xff\x51"))
    siz = stream[begin + 6 : begin + 40]
    if len(siz) < 34:
        raise CannotShow("A JPEG 2000 frame is damaged.")
    width, height, left, top = struct.unpack(">4I", siz[2:18])
    if (height - top, width - left) != (picture.rows, picture.cols):
        raise CannotShow("A JPEG 2000 frame has another size than the header says.")
    try:
        found = openjpeg.decode(stream)
    except (RuntimeError, ValueError) as error:
        raise CannotShow("A JPEG 2000 frame is damaged.") from error
    if found.dtype.kind not in "iu" or found.dtype.itemsize > 2:
        raise CannotShow("A JPEG 2000 frame has more than 16 bits a sample.")
    return _wrapped(found, picture)


def jpeg_by_gdcm(stream: bytes, picture: Picture, syntax: str) -> np.ndarray:
    """JPEG baseline, extended (12 bit too) and lossless, JPEG-LS: through gdcm, which refuses damaged JPEG-LS where CharLS hangs."""
    precision, height, width, samples = jpeg_frame(stream)
    if (height, width, samples) != (picture.rows, picture.cols, picture.samples):
        raise CannotShow("A JPEG frame has another size than the header says.")
    image = _gdcm_image(stream, picture, syntax, precision)
    try:
        text = image.GetBuffer()
    except (RuntimeError, ValueError, SystemError) as error:
        raise CannotShow("A JPEG frame is damaged.") from error
    raw = text.encode("utf-8", "surrogateescape")
    count = picture.rows * picture.cols * picture.samples
    width_bytes = 1 if len(raw) == count else 2
    if len(raw) != count * width_bytes or not raw:
        raise CannotShow("A JPEG frame is damaged.")
    cells = np.frombuffer(raw, f"{'i' if picture.signed else 'u'}{width_bytes}")
    shape = (picture.rows, picture.cols) if picture.samples == 1 else (picture.rows, picture.cols, 3)
    return _wrapped(cells.reshape(shape), picture)


def jpeg_as_stored(stream: bytes, picture: Picture) -> np.ndarray:
    """JPEG baseline of 8 bits without any colour conversion, by Pillow."""
    return _pillow(stream, picture, as_stored=True)


def jpeg_as_browsers_do(stream: bytes, picture: Picture) -> np.ndarray:
    """JPEG baseline of 8 bits; three components become RGB by the Adobe marker or, without one, as YCbCr: what a browser shows."""
    return _pillow(stream, picture, as_stored=False)


def deflated(stream: bytes, picture: Picture) -> np.ndarray:
    """Deflated Image Frame Compression, PS3.5 A.4.13: raw deflate of one frame."""
    wanted = picture.frame_bits // 8
    try:
        raw = zlib.decompressobj(-15).decompress(stream, wanted)
    except zlib.error as error:
        raise CannotShow("A deflated frame is damaged.") from error
    return native(raw, 0, 0, picture)


def native(data: bytes, start: int, index: int, picture: Picture) -> np.ndarray:
    """Cells of frame `index` of uncompressed pixel data that begins at `start`; no copy where none is needed."""
    rows, cols, bits = picture.rows, picture.cols, picture.frame_bits
    first = index * bits
    if (first + bits + 7) // 8 > len(data) - start:
        raise CannotShow("The file ends before this frame does.")
    if picture.allocated == 1:  # packed, least significant bit first; a frame may begin inside a byte (PS3.5 8.1.1)
        packed = np.frombuffer(data, np.uint8, (first % 8 + bits + 7) // 8, start + first // 8)
        return np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + bits].reshape(rows, cols)
    cells = np.frombuffer(data, picture.dtype, bits // picture.allocated, start + first // 8)
    if picture.subsampled:
        return _full_resolution(cells, rows, cols)
    if picture.samples == 1:
        return cells.reshape(rows, cols)
    return cells.reshape(3, rows, cols).transpose(1, 2, 0) if picture.planar else cells.reshape(rows, cols, 3)


def jpeg_frame(stream: bytes) -> tuple[int, int, int, int]:
    """-> (bits, rows, columns, components) of a JPEG or JPEG-LS stream's frame header."""
    at = 2
    if stream[:2] != b"\xff\xd8":
        raise CannotShow("A JPEG frame is damaged.")
    while at + 9 < len(stream):
        if stream[at] != 0xFF:
            break
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xF7):
            bits, rows, cols, components = struct.unpack(">BHHB", stream[at + 4 : at + 10])
            return bits, rows, cols, components
        if marker in (0xDA, 0xD9):
            break
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    raise CannotShow("A JPEG frame is damaged.")


def adobe_transform(stream: bytes) -> int | None:
    """The colour transform an Adobe APP14 marker declares: 0 none, 1 YCbCr; None without the marker."""
    at = stream.find(b"\xff\xee\x00\x0eAdobe", 0, 65536)
    return stream[at + 15] if 0 <= at < len(stream) - 15 else None


def _full_resolution(cells: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """YBR_FULL_422: Y1 Y2 Cb Cr a pixel pair -> (rows, cols, 3)."""
    if cols % 2:
        raise CannotShow("Its colours are halved, but its columns are odd.")
    pairs = cells.reshape(rows, cols // 2, 4)
    out = np.empty((rows, cols, 3), cells.dtype)
    out[:, 0::2, 0], out[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    out[..., 1], out[..., 2] = np.repeat(pairs[..., 2], 2, 1), np.repeat(pairs[..., 3], 2, 1)
    return out


def _wrapped(found: np.ndarray, picture: Picture) -> np.ndarray:
    """Decoded samples as cells of the header's type: the same bits, whatever sign the codec thought they had."""
    shape = (picture.rows, picture.cols) if picture.samples == 1 else (picture.rows, picture.cols, 3)
    if found.shape != shape:
        raise CannotShow("A frame has another size than the header says.")
    return found.astype(picture.dtype.newbyteorder("="), copy=False)


def _pillow(stream: bytes, picture: Picture, *, as_stored: bool) -> np.ndarray:
    jpeg_frame(stream)
    if b"\xff\xd9" not in stream[-64:]:
        # No end of image. Asked here, because a library may have told Pillow to accept cut streams (WeasyPrint does, on import).
        raise CannotShow("A JPEG frame is cut off.")
    try:
        image = Image.open(io.BytesIO(stream), formats=("JPEG",))
        if image.size != (picture.cols, picture.rows):
            raise CannotShow("A JPEG frame has another size than the header says.")
        if as_stored and picture.samples == 3 and "adobe_transform" not in image.info:
            image.draft("YCbCr", image.size)
        cells = np.asarray(image if as_stored or picture.samples == 1 else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CannotShow("A JPEG frame is damaged.") from error
    return _wrapped(cells, picture)


def _gdcm_image(stream: bytes, picture: Picture, syntax: str, precision: int) -> gdcm.Image:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream + b"\0" * (len(stream) % 2))
    pieces = gdcm.SequenceOfFragments.New()
    pieces.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(pieces.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((picture.cols, picture.rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(picture.photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if picture.samples == 3:
        image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    allocated = 8 if precision <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(picture.samples, allocated, precision, precision - 1, int(picture.signed)))
    return image
