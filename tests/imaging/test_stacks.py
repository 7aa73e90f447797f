"""Which frame goes where."""

import random
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cloudfilm.imaging.elements import read_elements
from cloudfilm.imaging.facts import Facts, facts_of
from cloudfilm.imaging.stacks import StackPlan, assemble

from .samples import blank, ct_slice, saved, with_pixels

SAGITTAL = [0, 1, 0, 0, 0, -1]


def facts(*contents: bytes) -> list[Facts]:
    return [facts_of(read_elements(content), f"{number:064x}") for number, content in enumerate(contents)]


def positions(plan: StackPlan) -> list[float | None]:
    return [placed.position for placed in plan.frames]


def test_slices_are_sorted_along_their_normal_whatever_their_number() -> None:
    places = [12.5, -5.0, 0.0, 7.5, 2.5, 10.0, 5.0, -2.5]
    (plan,) = assemble(facts(*(ct_slice(n, position=mm) for n, mm in enumerate(places))))
    assert positions(plan) == sorted(places)
    assert (plan.gap, plan.even, plan.order, plan.key) == (2.5, True, "position", 4)
    assert plan.letters == ("R", "L", "A", "P")


def test_the_order_of_the_files_does_not_matter() -> None:
    given = facts(*(ct_slice(n, position=(n * 7) % 10) for n in range(10)))
    shuffled = random.Random(4).sample(given, len(given))
    plans = [[[pile[p.instance].header.sop_instance_uid for p in plan.frames] for plan in assemble(pile)] for pile in (given, shuffled)]
    assert plans[0] == plans[1]


def test_uneven_gaps_are_said() -> None:
    (plan,) = assemble(facts(*(ct_slice(n, position=mm) for n, mm in enumerate([0.0, 2.0, 4.0, 7.0]))))
    assert not plan.even


def test_a_localizer_stands_apart_and_last() -> None:
    scout = ct_slice(1, position=0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=SAGITTAL)
    given = facts(scout, *(ct_slice(n, position=float(n)) for n in range(2, 6)))
    first, last = assemble(given)
    assert len(first.frames) == 4
    assert given[last.frames[0].instance].localizer
    assert last.letters == ("A", "P", "H", "F")


def test_a_localizer_of_the_same_direction_stands_apart_too() -> None:
    scout = ct_slice(1, position=99, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], RescaleType="HU")
    given = facts(scout, *(ct_slice(n, position=float(n), RescaleType="HU") for n in range(2, 6)))
    assert [len(plan.frames) for plan in assemble(given)] == [4, 1]


def test_two_directions_are_two_stacks() -> None:
    one = [ct_slice(n, position=float(n)) for n in range(3)]
    other = [ct_slice(10 + n, position=0, ImageOrientationPatient=SAGITTAL, ImagePositionPatient=[n, 0, 0]) for n in range(4)]
    assert sorted(len(plan.frames) for plan in assemble(facts(*one, *other))) == [3, 4]


def test_echoes_at_the_same_places_are_stacks_named_by_their_echo_time() -> None:
    given = facts(*(ct_slice(n * 2 + e, position=float(n), EchoTime=te) for n in range(4) for e, te in enumerate((30, 90))))
    plans = assemble(given)
    assert [positions(plan) for plan in plans] == [[0, 1, 2, 3]] * 2
    assert sorted(plan.title for plan in plans) == ["CT TE 30", "CT TE 90"]


def test_repeats_without_a_reason_are_dealt_out_by_instance_number() -> None:
    given = facts(*(ct_slice(turn * 3 + n, position=float(n)) for turn in range(2) for n in range(3)))
    plans = assemble(given)
    assert [[given[p.instance].header.instance_number for p in plan.frames] for plan in plans] == [[0, 1, 2], [3, 4, 5]]


def test_a_run_at_one_place_is_one_stack_in_time() -> None:
    given = facts(*(ct_slice(n, position=0) for n in (3, 1, 2)))
    (plan,) = assemble(given)
    assert [given[p.instance].header.instance_number for p in plan.frames] == [1, 2, 3]
    assert (plan.order, plan.gap, plan.even) == ("instance number", None, True)


def test_pictures_without_geometry_go_by_instance_number_and_say_so() -> None:
    given = facts(*(saved(with_pixels(blank(SOPInstanceUID=f"1.2.{n}", InstanceNumber=n))) for n in (10, 9, 2)))
    (plan,) = assemble(given)
    assert plan.order == "instance number"
    assert [given[p.instance].header.instance_number for p in plan.frames] == [2, 9, 10]
    assert plan.gap is None


def test_other_sizes_are_other_stacks() -> None:
    small, large = (saved(with_pixels(blank(SOPInstanceUID=f"1.2.{rows}"), rows=rows)) for rows in (32, 64))
    assert len(assemble(facts(small, large))) == 2


def test_the_frame_a_key_object_names_is_shown_first() -> None:
    given = facts(*(ct_slice(n, position=float(n)) for n in range(9)))
    (plan,) = assemble(given, ["1.2.3.4.7", "1.2.3.4.1"])
    assert given[plan.frames[plan.key].instance].header.sop_instance_uid == "1.2.3.4.7"


def enhanced(places: list[float]) -> bytes:
    """An enhanced multi-frame CT: what belongs to all frames in the shared item, the rest in each frame's."""

    def one(**values: Any) -> Sequence:
        item = Dataset()
        for keyword, value in values.items():
            setattr(item, keyword, value)
        return Sequence([item])

    ds = with_pixels(blank(Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1"), frames=len(places), rows=40, cols=40)
    shared = Dataset()
    shared.PixelMeasuresSequence = one(PixelSpacing=[0.7, 0.8], SliceThickness=3)
    shared.PlaneOrientationSequence = one(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.PixelValueTransformationSequence = one(RescaleSlope=2, RescaleIntercept=-1000, RescaleType="HU")
    shared.FrameVOILUTSequence = one(WindowCenter=50, WindowWidth=350)
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for place in places:
        item = Dataset()
        item.PlanePositionSequence = one(ImagePositionPatient=[0, 0, place])
        frames.append(item)
    frames[0].PixelValueTransformationSequence = one(RescaleSlope=3, RescaleIntercept=-1000, RescaleType="HU")
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return saved(ds)


def test_enhanced_frames_are_sorted_by_their_own_position_and_the_frame_wins_over_the_shared_item() -> None:
    given = facts(enhanced([4.0, 0.0, 2.0]))
    (plan,) = assemble(given)
    assert [(p.frame, p.position) for p in plan.frames] == [(1, 0.0), (2, 2.0), (0, 4.0)]
    frames = given[0].frames
    assert [frame.slope for frame in frames] == [3, 2, 2]
    assert frames[1].spacing == (0.7, 0.8)
    assert (plan.thickness, plan.windows[0].centre, plan.windows[0].width) == (3, 50, 350)


def test_the_oblique_brain_is_one_even_stack(shared_data: Path) -> None:
    given = facts(*(f.read_bytes() for f in sorted((shared_data / "variety/mr-series-oblique").iterdir())))
    (plan,) = assemble(given)
    assert (len(plan.frames), plan.even, plan.order, plan.windows) == (20, True, "position", ())


@pytest.mark.parametrize(("name", "count"), [("emr_knee_19f_jpegls", 19), ("ect_jpegls_2f", 2), ("emr_small_10f_rle", 10)])
def test_enhanced_files_keep_all_their_frames(shared_data: Path, name: str, count: int) -> None:
    plans = assemble(facts((shared_data / f"variety/enhanced/{name}.dcm").read_bytes()))
    assert sum(len(plan.frames) for plan in plans) == count
