"""Which study the demo shows: the real one that lies beside the clone, or, without it, the phantom."""

import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ROOT.parent / "shared" / "data" / "demo-study-zh"


@dataclass(frozen=True, slots=True)
class Study:
    """An order and a report as files, read; `instances()` gives the DICOM files, unpacked or drawn when first asked for."""

    folder: Path
    work: Path  # where files may be made
    order: dict[str, Any]
    report: dict[str, Any]
    credit: str

    @property
    def study_instance_uid(self) -> str:
        return str(self.report["study_instance_uid"])

    def instances(self) -> list[Path]:
        """The DICOM files, in the order in which a scanner would send them."""
        made = self.work / "dicom"
        packed = self.folder / "dicom.tar.xz"
        if packed.exists() and not made.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            with tarfile.open(packed) as archive:
                archive.extractall(self.work / "unpacking", filter="data")
            (self.work / "unpacking").rename(made)
        folder = made if packed.exists() else self.folder / "dicom"
        return sorted(folder.rglob("*.dcm"))

    def forget(self) -> None:
        """Remove what was unpacked: the gateway keeps the originals."""
        shutil.rmtree(self.work, ignore_errors=True)


def real() -> Path | None:
    """Folder of the real study; None when it does not lie beside the clone."""
    return BESIDE if (BESIDE / "dicom.tar.xz").exists() else None


def read(folder: Path, work: Path, credit: str) -> Study:
    """The study in `folder`: order.json, report.json (and report.pdf), dicom.tar.xz or dicom/."""
    order, report = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("order.json", "report.json"))
    return Study(folder, work, order, report, credit)
