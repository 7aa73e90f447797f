"""What a received file says about itself, read up to its pixels: who, which study, which series, what kind of picture."""

import re
from dataclasses import dataclass
from datetime import date

from cloudfilm.imaging.charset import decode_text, display_name
from cloudfilm.imaging.elements import DEFLATED_LE, Elements, NotDicom, read_elements

__all__ = ["Header", "NotDicom", "header_of", "read_header"]

_UID = re.compile(r"[0-9.]{1,64}")
_SOP_CLASS_FALLBACK = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture: says nothing about the picture
_AGE = re.compile(r"\d{3}[DWMY]")
_INFLATED_MAX = 8 << 20  # of a deflated file only the header is wanted here
_TEXT_LENGTH_MAX = 1024  # an LO has 64 characters; a hostile one must not fill our letters


@dataclass(frozen=True, slots=True)
class Header:
    """One instance's own words, decoded. Text is "" and numbers None when absent; dates are ISO; `age` is DICOM AS (`063Y`)."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    patient_id: str
    patient_name: str
    sex: str
    age: str
    birth_date: str
    accession_number: str
    study_date: str
    study_time: str
    study_description: str
    series_number: int | None
    series_description: str
    modality: str
    body_part: str
    institution: str
    instance_number: int | None
    number_of_frames: int
    has_pixels: bool
    flags: tuple[str, ...]


def read_header(data: bytes) -> Header:
    """The header of a file's bytes. Raises NotDicom, and nothing else, when these bytes cannot be filed."""
    return header_of(read_elements(data, inflated_max=_INFLATED_MAX))


def header_of(elements: Elements) -> Header:
    """The header of elements already read. Raises NotDicom when a UID that filing needs is missing or unsafe."""
    flags = set(elements.flags)
    declared = elements.words(0x00080005)

    def said(tag: int) -> str:
        text, repaired = decode_text(elements.raw(tag)[:_TEXT_LENGTH_MAX], declared)
        flags.update(repaired)
        return text

    study = _uid(elements, 0x0020000D, "Study Instance UID")
    series = _uid(elements, 0x0020000E, "Series Instance UID")
    sop = _uid(elements, 0x00080018, "SOP Instance UID")
    sop_class = elements.text(0x00080016)
    if not _UID.fullmatch(sop_class):
        sop_class = _SOP_CLASS_FALLBACK
        flags.add("sop-class-missing")
    pixels = elements.pixels
    if pixels is not None and elements.syntax != DEFLATED_LE and pixels.length > len(elements.data) - pixels.at:
        flags.add("truncated")
    age = elements.text(0x00101010).upper()
    return Header(
        study_instance_uid=study,
        series_instance_uid=series,
        sop_instance_uid=sop,
        sop_class_uid=sop_class,
        transfer_syntax_uid=elements.syntax,
        patient_id=said(0x00100020),
        patient_name=display_name(said(0x00100010)),
        sex=elements.text(0x00100040)[:1].upper(),
        age=age if _AGE.fullmatch(age) else "",
        birth_date=iso_date(elements.text(0x00100030)),
        accession_number=said(0x00080050),
        study_date=iso_date(elements.text(0x00080020)),
        study_time=elements.text(0x00080030)[:16],
        study_description=said(0x00081030),
        series_number=elements.whole(0x00200011),
        series_description=said(0x0008103E),
        modality=elements.text(0x00080060)[:16],
        body_part=said(0x00180015),
        institution=said(0x00080080),
        instance_number=elements.whole(0x00200013),
        number_of_frames=max(1, elements.whole(0x00280008, 1) or 1),
        has_pixels=pixels is not None and pixels.length != 0,
        flags=tuple(sorted(flags)),
    )


def iso_date(text: str) -> str:
    """DICOM DA (20261120, or the old 2026.11.20) as 2026-11-20; "" when it is no day of the calendar."""
    digits = text.replace(".", "").replace("-", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat() if len(digits) == 8 else ""
    except ValueError:
        return ""


def _uid(elements: Elements, tag: int, name: str) -> str:
    uid = elements.text(tag)
    if not uid:
        raise NotDicom(f"The file has no {name}.")
    if not _UID.fullmatch(uid):
        raise NotDicom(f"The {name} is not made of digits and dots, at most 64.")
    return uid
