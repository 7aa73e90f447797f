"""A study of nobody, for the demo and the tests: a chest CT of formulas, its order and its Chinese report.

    python -m tools.phantom OUT [--slices N]

makes OUT/dicom/IM0001.dcm .., OUT/order.json, OUT/report.json and OUT/report.pdf; the same pixels and UIDs each time.
All people, numbers and the hospital are invented.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from tools.thorax import BOTTOM_MM, COLS, NODULE, PIXEL_MM, ROWS, TOP_MM, Scanner, Thorax

SLICES = 84
NOISE_HU = 15.0
INTERCEPT = -1024
PADDING = -2000  # stored value beyond the reconstructed circle
DAY = "2026-11-23"
HOSPITAL = "青澜市中心医院"
ACCESSION, VISIT, PATIENT_ID = "CT20261123-0526", "MZ20261123-01406", "P00417826"
NAME, NAME_DICOM = "沈若兰", "Shen^Ruolan=沈^若兰"

ORDER: dict[str, Any] = {
    "schema": "cloudfilm-order/1",
    "note": "虚构测试数据",
    "visit_id": VISIT,
    "visit_type": "门诊",
    "patient_id": PATIENT_ID,
    "name": NAME,
    "name_pinyin": "Shen Ruolan",
    "sex": "F",
    "birth_date": "1974-03-02",
    "phone": "13900000526",
    "id_card_last4": "0028",
    "accession": ACCESSION,
    "order_id": "YZ2026112300377",
    "ordered_exam": {"code": "CT-CHEST", "name": "胸部CT平扫", "body_part": "CHEST", "modality": "CT"},
    "ordering_department": "呼吸与危重症医学科门诊",
    "ordering_doctor": "顾清和",
    "ordered_time": f"{DAY}T08:12:40+08:00",
    "receipt_no": "SJ20261123004418",
    "hospital": HOSPITAL,
}


def uid(name: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) that is the same for the same name."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'cloudfilm phantom 1 {name}').int}"


def report(slices: int) -> dict[str, Any]:
    """The report's sidecar; it names the slice on which the small nodule of the phantom is seen best."""
    seen_on = 1 + round((TOP_MM - NODULE[2]) / _step(slices))
    return {
        "schema": "cloudfilm-report-sidecar/1",
        "note": "虚构测试数据：姓名、号码、医生、医院均为编造；影像由程序绘制，不来自任何人。",
        "accession": ACCESSION,
        "patient_id": PATIENT_ID,
        "patient_name": NAME,
        "sex": "女",
        "birth_date": ORDER["birth_date"],
        "age": "52岁",
        "visit_id": VISIT,
        "department": ORDER["ordering_department"],
        "hospital": HOSPITAL,
        "modality": "CT",
        "exam": "胸部CT平扫",
        "exam_time": f"{DAY}T09:03:15+08:00",
        "study_instance_uid": uid("study"),
        "findings": (
            "双侧胸廓对称，气管、纵隔居中。双肺纹理走行自然，"
            f"右肺上叶见一枚实性小结节（第 {seen_on} 层），大小约 6 mm × 5 mm，边缘尚光整，未见明显分叶及毛刺；"
            "余肺野未见明确实变及肿块影。气管及叶、段支气管开口通畅。双肺门及纵隔未见明显肿大淋巴结。"
            "心影不大，主动脉走行自然。双侧胸腔未见积液，胸膜未见明显增厚。所示肝、脾上部未见明确异常密度影（平扫，供参考）。所示骨质未见明确异常。"
        ),
        "impression": "1. 右肺上叶实性小结节，约 6 mm，建议 6～12 个月后复查胸部低剂量 CT。\n2. 余双肺未见明显活动性病变。",
        "reporting_doctor": "许知夏",
        "reviewing_doctor": "梁怀远",
        "reported_time": f"{DAY}T10:05:22+08:00",
        "signed_time": f"{DAY}T10:31:48+08:00",
        "status": "final",
        "pdf": "report.pdf",
    }


def _step(slices: int) -> float:
    return (TOP_MM - BOTTOM_MM) / (slices - 1)


def write_dicom(folder: Path, slices: int = SLICES, progress: Callable[[int], object] = lambda done: None) -> None:
    """Write the series, from the head down, as a scanner would send it. `progress` hears how many are written."""
    folder.mkdir(parents=True, exist_ok=True)
    thorax, scanner, step = Thorax(), Scanner(), _step(slices)
    outside = thorax.outside()
    for number in range(1, slices + 1):
        z = TOP_MM - (number - 1) * step
        hu = scanner.scan(thorax.slice_at(z), NOISE_HU)
        stored = np.clip(np.rint(hu - INTERCEPT), 0, 4095).astype("<i2")
        stored[outside] = PADDING
        _instance(number, z, step, stored).save_as(folder / f"IM{number:04d}.dcm", enforce_file_format=True)
        progress(number)


def _instance(number: int, z: float, step: float, stored: np.ndarray) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid(f"instance {number}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    d.SpecificCharacterSet = "GB18030"
    d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    d.SOPClassUID, d.SOPInstanceUID = CTImageStorage, uid(f"instance {number}")
    d.StudyDate = d.SeriesDate = d.AcquisitionDate = d.ContentDate = DAY.replace("-", "")
    d.StudyTime, d.SeriesTime, d.AcquisitionTime, d.ContentTime = "090315", "090402", "090412", "090412"
    d.AccessionNumber, d.Modality = ACCESSION, "CT"
    d.Manufacturer, d.ManufacturerModelName, d.StationName = "CloudFilm", "Phantom", "CT1"
    d.InstitutionName, d.InstitutionalDepartmentName = HOSPITAL, "放射科"
    d.StudyDescription, d.SeriesDescription, d.ProtocolName = "胸部CT平扫", f"胸部 平扫 {step:.1f}mm", "胸部平扫"
    d.PatientName, d.PatientID = NAME_DICOM, PATIENT_ID
    d.PatientBirthDate, d.PatientSex, d.PatientAge = "19740302", "F", "052Y"
    d.BodyPartExamined, d.PatientPosition, d.ConvolutionKernel, d.KVP = "CHEST", "FFS", "STANDARD", "120"
    d.SliceThickness = d.SpacingBetweenSlices = f"{step:.6f}"
    d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = uid("study"), uid("series"), uid("frame of reference")
    d.StudyID, d.SeriesNumber, d.AcquisitionNumber, d.InstanceNumber = "0526", "2", "1", str(number)
    corner = -(COLS - 1) / 2 * PIXEL_MM
    d.ImagePositionPatient = [f"{corner:.3f}", f"{corner:.3f}", f"{z:.3f}"]
    d.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    d.SliceLocation = f"{z:.3f}"
    d.SamplesPerPixel, d.PhotometricInterpretation, d.Rows, d.Columns = 1, "MONOCHROME2", ROWS, COLS
    d.PixelSpacing = [f"{PIXEL_MM:.6f}", f"{PIXEL_MM:.6f}"]
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 16, 15, 1
    d.add_new(0x00280120, "SS", PADDING)
    d.WindowCenter, d.WindowWidth = ["-600", "40"], ["1500", "400"]
    d.WindowCenterWidthExplanation = ["肺窗", "纵隔窗"]
    d.RescaleIntercept, d.RescaleSlope, d.RescaleType = str(INTERCEPT), "1", "HU"
    d.LossyImageCompression = "00"
    d.PixelData = stored.tobytes()
    return d


_PAGE = """<!doctype html><meta charset="utf-8"><style>
@page {{ size: A4; margin: 18mm 20mm }} body {{ font: 11pt/1.75 "WenQuanYi Micro Hei", "Noto Sans CJK SC", sans-serif }}
h1 {{ font-size: 18pt; text-align: center; margin: 0 }} h2 {{ font-size: 12pt; margin: 6mm 0 1mm }} p {{ margin: 0; text-align: justify }}
.sub {{ text-align: center; margin: 1mm 0 6mm }} table {{ width: 100%; border-top: 1.2pt solid; border-bottom: .6pt solid }}
td {{ padding: .6mm 0 }}
.foot {{ margin-top: 12mm; border-top: .6pt solid; padding-top: 2mm; font-size: 9pt }}
</style><h1>{hospital}</h1><p class="sub">CT 检查报告单</p>
<table><tr><td>姓名：{patient_name}</td><td>性别：{sex}</td><td>年龄：{age}</td></tr>
<tr><td>检查号：{accession}</td><td>病人号：{patient_id}</td><td>检查日期：{day}</td></tr>
<tr><td colspan="2">申请科室：{department}</td><td>检查项目：{exam}</td></tr></table>
<h2>影像所见</h2><p>{findings}</p><h2>诊断意见</h2>{lines}
<p class="foot">报告医师：{reporting_doctor}　审核医师：{reviewing_doctor}　审核时间：{signed}<br>{note}</p>"""


def report_pdf(words: dict[str, Any]) -> bytes:
    """The report as the hospital's system would print it. Raises OSError when Pango is not installed."""
    import weasyprint

    lines = "".join(f"<p>{line}</p>" for line in words["impression"].splitlines())
    page = _PAGE.format(**words, day=DAY, lines=lines, signed=words["signed_time"][:16].replace("T", " "))
    return bytes(weasyprint.HTML(string=page).write_pdf())


def write(out: Path, slices: int = SLICES, progress: Callable[[int], object] = lambda done: None) -> None:
    """The whole study with order and report under `out`. Without Pango the report has words only."""
    write_dicom(out / "dicom", slices, progress)
    words = report(slices)
    try:
        (out / "report.pdf").write_bytes(report_pdf(words))
    except OSError:
        words["pdf"] = ""
        print("phantom: no report.pdf, for Pango is missing (apt-get install libpango-1.0-0 libpangoft2-1.0-0)", file=sys.stderr)
    for name, value in (("order.json", ORDER | {"expected_instances": slices}), ("report.json", words)):
        (out / name).write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a study of nobody.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--slices", type=int, default=SLICES)
    given = parser.parse_args()
    write(given.out, given.slices)
