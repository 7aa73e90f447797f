"""The studies that are measured: the demo's, the same three times over as one series, and small ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from tools import phantom, source

FRAMES = 300


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a slice lies (mm along the patient's axis) and the SHA-256 of its pixel cells as received."""

    position: float
    sha256: str


def demo(work: Path) -> tuple[list[Path], str]:
    """The demo series' files, and what they are."""
    real = source.real()
    if real is not None:
        return source.read(real, work, "").instances(), "demo-study-zh, a real chest CT"
    phantom.write(work / "phantom", progress=lambda _: None)
    return sorted((work / "phantom" / "dicom").glob("*.dcm")), "phantom, a chest CT of formulas: the real one is not beside this clone"


def uid(name: str) -> str:
    return f"2.25.{int.from_bytes(hashlib.sha256(name.encode()).digest()[:15])}"


def thrice(files: Sequence[Path], out: Path) -> tuple[str, list[Slice]]:
    """The series over and over, one block above the other, as one series of FRAMES. Returns its Study Instance UID and slices."""
    out.mkdir(parents=True)
    read = sorted((pydicom.dcmread(path) for path in files), key=lambda ds: float(ds.ImagePositionPatient[2]))
    places = [tuple(float(v) for v in ds.ImagePositionPatient) for ds in read]
    block_mm = places[-1][2] - places[0][2] + abs(places[1][2] - places[0][2])
    slices = []
    for number in range(FRAMES):
        block, index = divmod(number, len(read))
        ds, (x, y, z) = read[index], places[index]
        z = round(z + block * block_mm, 4)
        ds.ImagePositionPatient = [x, y, z]
        ds.StudyInstanceUID, ds.SeriesInstanceUID = uid("study 300"), uid("series 300")
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(f"300 {number}")
        ds.AccessionNumber, ds.InstanceNumber = "BENCH300", number + 1
        if "SliceLocation" in ds:
            del ds.SliceLocation
        ds.save_as(out / f"IM{number:04d}.dcm")
        slices.append(Slice(z, hashlib.sha256(ds.PixelData).hexdigest()))
    return uid("study 300"), slices


def small(count: int, out: Path) -> Path:
    """`count` studies of four slices of 64², each of another patient; other ones for each count."""
    out.mkdir(parents=True)
    rng = np.random.default_rng(count)
    for study in range(count):
        name = f"{count}-{study}"
        for number in range(4):
            ds = Dataset()
            ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid(f"small {name} {number}")
            ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(f"small study {name}"), uid(f"small series {name}")
            ds.PatientID, ds.PatientName, ds.AccessionNumber = f"B{name}", "Test^Person", f"B{name}"
            ds.Modality, ds.StudyDate, ds.InstanceNumber, ds.SeriesNumber = "CT", "20261120", number + 1, 1
            ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number * 2.5]
            ds.PixelSpacing, ds.RescaleSlope, ds.RescaleIntercept = [0.5, 0.5], 1, -1024
            ds.Rows = ds.Columns = 64
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
            ds.PixelData = rng.integers(0, 1200, (64, 64), dtype="<u2").tobytes()
            ds.file_meta = FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.save_as(out / f"{study:03d}-{number}.dcm", enforce_file_format=True)
    return out
