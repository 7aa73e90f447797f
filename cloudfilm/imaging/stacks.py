"""Which frame of which instance goes where: a series becomes stacks (PIXELS.md 2, rule 8). Instance Number never decides first."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from cloudfilm.imaging.facts import Facts, FrameFacts
from cloudfilm.imaging.geometry import SAME_PLACE_MM, Vector, along_normal, gap_of, letters, same_direction
from cloudfilm.imaging.windows import Window

_MOMENTS = ("TE {:g}", "b {:g}", "", "")  # how a stack of one echo time or b-value is told apart in its title


class Order(StrEnum):
    """What the slices were sorted by; the page says it."""

    POSITION = "position"
    INSTANCE_NUMBER = "instance number"


@dataclass(frozen=True, slots=True)
class Placed:
    """One frame in its stack: which instance (index into what assemble() was given), which of its frames, and where in mm."""

    instance: int
    frame: int
    position: float | None


@dataclass(frozen=True, slots=True)
class StackPlan:
    """One scrollable thing, before its pixels are made."""

    title: str
    order: Order
    frames: tuple[Placed, ...]
    key: int  # index of the frame shown first
    windows: tuple[Window, ...]  # the files' own; () when they have none
    orientation: Vector | None
    letters: tuple[str, ...]
    thickness: float | None
    gap: float | None
    even: bool


def assemble(instances: list[Facts], key_uids: Iterable[str] = ()) -> list[StackPlan]:
    """The stacks of one series. Deterministic: the order of `instances` does not matter to the result but for its indices.

    `key_uids`: SOP Instance UIDs a key object names; the first that is in a stack is shown first there.
    """
    keys = list(key_uids)
    plans = []
    for alike in _alike(instances):
        for cluster, oriented in _by_orientation(instances, alike):
            parts = _by_repeats(instances, cluster) if oriented else [(cluster, "")]
            for number, (part, said) in enumerate(parts):
                suffix = said or (f"{number + 1}/{len(parts)}" if len(parts) > 1 else "")
                plans.append(_planned(instances, part, Order.POSITION if oriented else Order.INSTANCE_NUMBER, suffix, keys))
    return sorted(plans, key=lambda plan: _stack_rank(instances, plan))


def _planned(instances: list[Facts], part: list[Placed], order: Order, suffix: str, keys: list[str]) -> StackPlan:
    first = instances[part[0].instance]
    frame = first.frames[part[0].frame]
    positions = [placed.position for placed in part if placed.position is not None]
    if len(part) > 1 and len(_places(part)) == 1:  # a run in time at one place
        order, positions = Order.INSTANCE_NUMBER, []
    gap, even = gap_of(positions)
    key = len(part) // 2
    for uid in keys:
        here = [i for i, placed in enumerate(part) if instances[placed.instance].header.sop_instance_uid == uid]
        if here:
            key = here[0]
            break
    return StackPlan(
        title=" ".join(word for word in (_title(first), suffix) if word),
        order=order,
        frames=tuple(part),
        key=key,
        windows=_windows(instances, part),
        orientation=frame.orientation,
        letters=tuple(letters(frame.orientation, first.patient_orientation)),
        thickness=frame.thickness,
        gap=gap,
        even=even,
    )


def _title(facts: Facts) -> str:
    header = facts.header
    return header.series_description or " ".join(word for word in (header.body_part, header.modality) if word) or "—"


def _windows(instances: list[Facts], part: list[Placed]) -> tuple[Window, ...]:
    """The middle frame's windows, then any others the stack's frames offer (at most 8)."""
    middle = part[len(part) // 2]
    found = dict.fromkeys(instances[middle.instance].frames[middle.frame].windows)
    if not found:
        for placed in part:
            found.update(dict.fromkeys(instances[placed.instance].frames[placed.frame].windows[:1]))
            if found:
                break
    return tuple(found)[:8]


def _alike(instances: list[Facts]) -> list[list[Placed]]:
    """Frames that can be scrolled as one: the same size, cells, colour and meaning; localizers apart."""
    groups: dict[tuple[object, ...], list[Placed]] = {}
    for index in sorted(range(len(instances)), key=lambda i: _instance_rank(instances[i])):
        facts = instances[index]
        p = facts.picture
        key = (
            facts.localizer,
            *(p.rows, p.cols, p.samples, p.allocated, p.stored, p.high, p.signed, p.big_endian),
            facts.photometric,
            facts.invert,
            facts.unit,
            facts.lut,
            facts.palette,
        )
        for number in range(len(facts.frames)):
            groups.setdefault(key, []).append(Placed(index, number, None))
    return list(groups.values())


def _by_orientation(instances: list[Facts], frames: list[Placed]) -> list[tuple[list[Placed], bool]]:
    """-> [(frames in order, sorted by position?)]: one part for each direction, one for the frames that say none."""
    clusters: list[tuple[Vector, list[Placed]]] = []
    loose: list[Placed] = []
    for placed in frames:
        frame = _frame(instances, placed)
        if frame.orientation is None or frame.position is None:
            loose.append(placed)
            continue
        home = next((c for c in clusters if same_direction(c[0], frame.orientation)), None)
        if home is None:
            home = (frame.orientation, [])
            clusters.append(home)
        home[1].append(replace(placed, position=round(along_normal(home[0], frame.position), 4)))
    out = [(members, True) for _, members in clusters]
    return [*out, (loose, False)] if loose else out


def _by_repeats(instances: list[Facts], cluster: list[Placed]) -> list[tuple[list[Placed], str]]:
    """Split frames that lie at the same place: by echo time, b-value, temporal position or acquisition, else one by one."""
    if not _repeated(cluster) or len(_places(cluster)) == 1:
        return [(sorted(cluster, key=lambda placed: _frame_rank(instances, placed)), "")]
    for which, words in enumerate(_MOMENTS):
        groups: dict[float, list[Placed]] = {}
        for placed in cluster:
            groups.setdefault(_frame(instances, placed).moment[which], []).append(placed)
        if len(groups) > 1 and not any(_repeated(group) for group in groups.values()):
            return [
                (sorted(group, key=lambda placed: _frame_rank(instances, placed)), words.format(value) if words else "")
                for value, group in sorted(groups.items())
            ]
    ranked = sorted(cluster, key=lambda placed: _moment_rank(instances, placed))
    turns: dict[int, int] = {}
    parts: list[list[Placed]] = []
    for placed in ranked:
        where = _rounded(placed)
        turn = turns.get(where, 0)
        turns[where] = turn + 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(placed)
    return [(sorted(part, key=lambda placed: _frame_rank(instances, placed)), "") for part in parts]


def _frame(instances: list[Facts], placed: Placed) -> FrameFacts:
    return instances[placed.instance].frames[placed.frame]


def _rounded(placed: Placed) -> int:
    return round((placed.position or 0.0) / SAME_PLACE_MM)


def _places(cluster: list[Placed]) -> set[int]:
    return {_rounded(placed) for placed in cluster}


def _repeated(cluster: list[Placed]) -> bool:
    return len(_places(cluster)) < len(cluster)


def _instance_rank(facts: Facts) -> tuple[object, ...]:
    number = facts.header.instance_number
    return (number is None, number or 0, facts.header.sop_instance_uid, facts.sha256)


def _frame_rank(instances: list[Facts], placed: Placed) -> tuple[object, ...]:
    return (placed.position or 0.0, *_moment_rank(instances, placed))


def _moment_rank(instances: list[Facts], placed: Placed) -> tuple[object, ...]:
    return (_frame(instances, placed).moment, *_instance_rank(instances[placed.instance]), placed.frame)


def _stack_rank(instances: list[Facts], plan: StackPlan) -> tuple[object, ...]:
    earliest = min((_instance_rank(instances[placed.instance]), placed.frame) for placed in plan.frames)
    return (instances[plan.frames[0].instance].localizer, *earliest)
