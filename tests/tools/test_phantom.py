"""The drawn chest: the same each time, and as a scanner would write it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pydicom

from cloudfilm.domain import orders, sidecar
from tools import phantom


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    def digest(folder: Path) -> list[str]:
        phantom.write_dicom(folder, slices=3)
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())]

    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_it_is_a_chest_in_hounsfield_units_with_a_name_in_gb18030(tmp_path: Path) -> None:
    phantom.write(tmp_path, slices=5)
    middle = pydicom.dcmread(tmp_path / "dicom" / "IM0003.dcm")
    assert (middle.Rows, middle.Columns, middle.PixelRepresentation) == (512, 512, 1)
    assert middle.SpecificCharacterSet == "GB18030" and str(middle.PatientName) == "Shen^Ruolan=沈^若兰"
    hu = middle.pixel_array * float(middle.RescaleSlope) + float(middle.RescaleIntercept)
    inside = hu[middle.pixel_array != phantom.PADDING]
    air, lung, soft, bone = ((inside < -950).mean(), ((inside > -920) & (inside < -780)).mean(), ((inside > 0) & (inside < 100)).mean(),
                             (inside > 250).mean())  # fmt: skip
    assert air > 0.2 and lung > 0.05 and soft > 0.05 and bone > 0.005
    corner = np.diff(hu[200:220, 150:170].astype(float), axis=1).std()
    assert 2 < corner < 60  # noise, as in every real scan: a coder that is only tried on flat pictures is not tried
    assert middle.pixel_array.min() == phantom.PADDING


def test_order_and_report_are_of_the_form_that_the_doors_read_and_of_the_same_study(tmp_path: Path) -> None:
    phantom.write(tmp_path, slices=2)
    order = orders.read((tmp_path / "order.json").read_bytes())
    words = sidecar.read((tmp_path / "report.json").read_bytes())
    first = pydicom.dcmread(tmp_path / "dicom" / "IM0001.dcm", stop_before_pixels=True)
    assert order.accession_number == words.accession_number == first.AccessionNumber
    assert order.patient_id == words.patient_id == first.PatientID
    assert words.study_instance_uid == first.StudyInstanceUID and order.expected_instances == 2
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["pdf"] in ("", "report.pdf")
