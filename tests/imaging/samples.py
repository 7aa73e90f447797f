"""Synthetic DICOM files of every pixel kind, written with pydicom; nothing here comes from a person."""

import io
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def saved(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes of a DICOM file with this data set."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    out = io.BytesIO()
    big = syntax == ExplicitVRBigEndian
    ds.save_as(out, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=not big, enforce_file_format=True)
    return out.getvalue()


def blank(**values: Any) -> Dataset:
    """A data set with the UIDs that filing needs; keyword arguments are DICOM keywords."""
    ds = Dataset()
    ds.SOPClassUID = SECONDARY_CAPTURE
    ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4", "1.2.3", "1.2.3.9"
    ds.PatientName, ds.PatientID, ds.Modality = "Test^Person", "P1", "OT"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def with_pixels(
    ds: Dataset,
    bits: int = 16,
    stored: int = 12,
    *,
    syntax: str = ExplicitVRLittleEndian,
    signed: int = 0,
    samples: int = 1,
    planar: int = 0,
    frames: int = 1,
    overlay: str = "",
    rows: int = 64,
    cols: int = 50,
    vr: str = "OW",
    pad: bytes = b"",
    seed: int = 3,
) -> Dataset:
    """Adds a smooth picture with noise. `overlay`: "noise" or "one" fills the bits above High Bit."""
    rng = np.random.default_rng(seed)
    ds.Rows, ds.Columns, ds.SamplesPerPixel = rows, cols, samples
    ds.PhotometricInterpretation = "RGB" if samples == 3 else ds.get("PhotometricInterpretation", "MONOCHROME2")
    if samples == 3:
        ds.PlanarConfiguration = planar
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, stored, stored - 1, signed
    if frames > 1:
        ds.NumberOfFrames = frames
    y, x = np.mgrid[0:rows, 0:cols]
    top = (1 << stored) - 1
    a = (np.sin(x / 9) * np.cos(y / 7) + 1) / 2 * top * 0.8
    a = a[None, ..., None] + rng.normal(0, top / 200 + 1, (frames, rows, cols, samples))
    cells = np.clip(a, 0, top).astype(np.int64)
    if signed:
        cells -= 1 << stored - 1
    if overlay:
        above = rng.integers(0, 1 << bits - stored, cells.shape) if overlay == "noise" else (x // 8 % 2)[None, ..., None]
        cells = cells & top | above << stored
    if planar:
        cells = cells.transpose(0, 3, 1, 2)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    ds.add_new((0x7FE0, 0x0010), vr, (cells & (1 << bits) - 1).astype(f"{order}u{bits // 8}").tobytes() + pad)
    return ds


def ct_slice(number: int, *, position: float, **values: Any) -> bytes:
    """One axial CT slice, 64 x 64, at `position` mm; Instance Number is `number`."""
    ds = blank(SOPClassUID=CT_IMAGE, SOPInstanceUID=f"1.2.3.4.{number}", Modality="CT", InstanceNumber=number)
    ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, position]
    ds.PixelSpacing, ds.RescaleSlope, ds.RescaleIntercept = [0.5, 0.5], 1, -1024
    ds.WindowCenter, ds.WindowWidth = 40, 400
    with_pixels(ds, 16, 12, rows=64, cols=64, seed=number)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return saved(ds)
