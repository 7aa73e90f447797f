"""What went in comes out: originals, restore and verify on both stores."""

import dataclasses
from pathlib import Path

import pytest

from cloudfilm.archive import layout
from cloudfilm.archive.contract import Archive, ArchiveMissing, ArchiveRefused, sha256_of
from cloudfilm.archive.filesystem import FilesystemArchive
from cloudfilm.archive.originals import original
from cloudfilm.archive.restore import newest_manifest, restore
from cloudfilm.archive.verify import Fault, verify

from .published import files_of_a_study, publish

STUDY = "0123456789abcdef0123456789abcdef"


def ignore(_: int) -> None:
    return


def test_every_original_comes_back_bit_for_bit(archive: Archive, tmp_path: Path) -> None:
    given = files_of_a_study()
    _, manifest = publish(archive, "h", STUDY, given, tmp_path)
    back = [original(archive, series, instance) for series in manifest["series"] for instance in series["instances"]]
    assert sorted(back) == sorted(data for series in given for data in series)
    assert {i["mode"] for series in manifest["series"] for i in series["instances"]} == {"jls", "verbatim"}


def test_a_restored_study_is_a_folder_of_the_received_files(archive: Archive, tmp_path: Path) -> None:
    given = files_of_a_study()
    _, manifest = publish(archive, "h", STUDY, given, tmp_path)
    to, counted = tmp_path / "out", []
    done = restore(archive, manifest, to, counted.append)
    files = sorted(path for path in to.rglob("*") if path.is_file())
    assert [str(path.relative_to(to)) for path in files] == [
        *(f"DICOM/01234567/SE000001/IM00000{n}" for n in (1, 2, 3, 4)),
        "DICOM/01234567/SE000002/IM000001",
    ]
    assert sorted(path.read_bytes() for path in files) == sorted(data for series in given for data in series)
    assert (done.files, done.bytes, counted) == (5, sum(len(d) for s in given for d in s), [1, 2, 3, 4, 5])
    assert dataclasses.astuple(restore(archive, manifest, to, ignore)) == dataclasses.astuple(done)  # again: nothing changes


def test_a_file_in_the_way_is_never_overwritten(archive: Archive, tmp_path: Path) -> None:
    _, manifest = publish(archive, "h", STUDY, files_of_a_study(), tmp_path)
    mine = tmp_path / "out" / "DICOM" / "01234567" / "SE000001" / "IM000002"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"somebody's")
    with pytest.raises(ArchiveRefused):
        restore(archive, manifest, tmp_path / "out", ignore)
    assert mine.read_bytes() == b"somebody's"


def test_without_records_the_fullest_revision_is_found(archive: Archive, tmp_path: Path) -> None:
    given = files_of_a_study()
    _, whole = publish(archive, "h", STUDY, given, tmp_path)
    publish(archive, "h", STUDY, given[:1], tmp_path)
    assert newest_manifest(archive, "h", STUDY) == whole
    with pytest.raises(ArchiveMissing):
        newest_manifest(archive, "h", STUDY[::-1])


def test_a_whole_archive_has_no_findings_and_shared_series_are_read_once(archive: Archive, tmp_path: Path) -> None:
    given = files_of_a_study()
    publish(archive, "h", STUDY, given, tmp_path)
    publish(archive, "h", STUDY, given[:1], tmp_path)
    pdf = b"%PDF-1.7 of nobody"
    (tmp_path / "a.pdf").write_bytes(pdf)
    archive.put(layout.report_pdf("h", sha256_of(pdf)), pdf, sha256_of(pdf))
    read: list[int] = []
    assert list(verify(archive, "h", read.append)) == []
    assert len(read) == 4  # two exact stacks, one preview stack, one report


def test_each_kind_of_damage_is_found_and_named(tmp_path: Path) -> None:
    archive = FilesystemArchive(tmp_path / "archive")
    key, manifest = publish(archive, "h", STUDY, files_of_a_study(), tmp_path)
    other = "f" * 32
    broken, _ = publish(archive, "h", other, files_of_a_study()[:1], tmp_path)
    pdf = b"%PDF-1.7 of nobody"
    report = layout.report_pdf("h", sha256_of(pdf))
    archive.put(report, pdf, sha256_of(pdf))
    objects = tmp_path / "archive" / "objects"
    exact = manifest["series"][0]["exact"]["key"]
    flipped = bytearray((objects / exact).read_bytes())
    flipped[len(flipped) // 2] ^= 1  # one bit of one picture
    (objects / exact).write_bytes(flipped)
    lost = manifest["series"][1]["exact"]["key"]
    (objects / lost).unlink()
    (objects / broken).write_bytes((objects / broken).read_bytes()[:-1])
    (objects / report).write_bytes(pdf + b"!")
    found = {(f.key, f.fault, f.named_by) for f in verify(archive, "h", ignore)}
    assert found == {
        (exact, Fault.DAMAGED, key),
        (lost, Fault.MISSING, key),
        (broken, Fault.UNREADABLE, broken),
        (report, Fault.DAMAGED, report),
    }


def test_a_damaged_image_is_not_handed_out(tmp_path: Path) -> None:
    archive = FilesystemArchive(tmp_path / "archive")
    _, manifest = publish(archive, "h", STUDY, files_of_a_study(), tmp_path)
    series = manifest["series"][0]
    stored = tmp_path / "archive" / "objects" / series["exact"]["key"]
    data = bytearray(stored.read_bytes())
    instance = series["instances"][2]
    for at in (instance["at"] + 3, instance["at"] + instance["frames"][0][0] + 60, instance["at"] + instance["stored"] - 1):
        data[at] ^= 0x10
        stored.write_bytes(data)
        with pytest.raises(ArchiveRefused):
            original(archive, series, instance)
        data[at] ^= 0x10
    stored.write_bytes(data)
    assert original(archive, series, instance)
