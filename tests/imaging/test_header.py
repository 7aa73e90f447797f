"""Any bytes give a header or NotDicom."""

import random
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cloudfilm.imaging.header import Header, NotDicom, read_header

from .samples import blank, ct_slice, saved, with_pixels

NOT_FILED = {1, 3, 8, 9, 10, 11, 12, 22, 23, 24, 25, 28, 29, 31, 34, 35, 37, 38, 40}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_a_header_is_the_same_in_every_native_syntax(syntax: str) -> None:
    ds = blank(
        SpecificCharacterSet="GB18030",
        PatientName="Li^Na=李^娜",
        PatientBirthDate="19800229",
        PatientAge="046Y",
        SeriesNumber=7,
        StudyDescription="腹部平扫",
    )
    header = read_header(saved(with_pixels(ds, syntax=syntax), syntax))
    assert (header.patient_name, header.study_description, header.birth_date) == ("李娜", "腹部平扫", "1980-02-29")
    assert (header.age, header.series_number, header.has_pixels, header.transfer_syntax_uid) == ("046Y", 7, True, syntax)


def test_a_day_that_is_not_in_the_calendar_is_no_date() -> None:
    assert read_header(saved(blank(StudyDate="20260230"))).study_date == ""


def test_a_file_without_preamble_or_meta_is_read() -> None:
    whole = saved(with_pixels(blank()))
    without_preamble = whole[132:]
    first = read_header(without_preamble)
    assert (first.sop_instance_uid, first.flags) == ("1.2.3.4", ("no-preamble",))
    data_set = whole[whole.index(b"\x08\x00\x16\x00UI") :]
    assert read_header(data_set).transfer_syntax_uid == ExplicitVRLittleEndian


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "1.2.x3"])
def test_an_unsafe_uid_is_refused(uid: str) -> None:
    data = saved(blank(SOPInstanceUID="9" * len(uid))).replace(b"9" * len(uid), uid.encode())
    with pytest.raises(NotDicom, match="SOP Instance UID"):
        read_header(data)


def test_a_sequence_nested_deeper_than_the_stack_is_stepped_over() -> None:
    data = saved(blank())
    at = data.index(b"\x10\x00\x10\x00PN")
    opened = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    assert read_header(data[:at] + opened * 4000 + closed * 4000 + data[at:]).patient_name == "Test Person"
    with pytest.raises(NotDicom):
        read_header(data[:at] + opened * 30_000 + closed * 30_000 + data[at:])


def test_a_transfer_syntax_declared_wrongly_is_seen_in_the_bytes() -> None:
    explicit = saved(blank()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0")
    header = read_header(explicit)
    assert (header.patient_name, header.flags) == ("Test Person", ("syntax-mismatch",))


def test_a_stray_item_without_its_sequence_is_stepped_over() -> None:
    data = saved(blank())
    at = data.index(b"\x10\x00\x10\x00PN")
    assert read_header(data[:at] + b"\xfe\xff\x00\xe0\x04\0\0\0abcd" + data[at:]).patient_name == "Test Person"


def test_damaged_bytes_give_a_header_or_a_sentence_and_nothing_else() -> None:
    rng = random.Random(5)
    whole = ct_slice(1, position=0)[:1200]
    for _ in range(4000):
        hurt = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randrange(1, 8)):
            if hurt:
                hurt[rng.randrange(len(hurt))] = rng.choice((0, 0xFF, rng.randrange(256)))
        try:
            assert isinstance(read_header(bytes(hurt)), Header)
        except NotDicom as refused:
            assert str(refused).endswith(".")


def test_the_broken_and_hostile_files_are_filed_or_refused(shared_data: Path) -> None:
    files = sorted(f for f in (shared_data / "corrupt").iterdir() if f.name[:2].isdigit())
    assert len(files) == 43
    for file in files:
        try:
            read_header(file.read_bytes())
            filed = True
        except NotDicom:
            filed = False
        assert filed == (int(file.name[:2]) not in NOT_FILED), file.name
