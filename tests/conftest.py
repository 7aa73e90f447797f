"""What every room's tests share. The product's tests pass without ../shared and use it when it is there."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _shared() -> Path | None:
    beside = ROOT.parent / "shared"
    return beside if (beside / "data" / "INDEX.tsv").exists() else None


SHARED = _shared()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """../shared/data: real DICOM of many kinds. Absent on a plain clone: said in one line, and the test is left out."""
    if SHARED is None:
        pytest.skip("NOT RUN: ../shared/data is not beside this clone; its real DICOM files are test data only and cannot ship here")
    return SHARED / "data"
