"""One series of files becomes what the archive keeps: an exact stack, preview stacks, and the manifest's entry.

Two passes: the first reads what every file says and samples some pixels for tables and quality; the second packs each instance and
makes its previews while its cells are at hand. At most two files are in memory. The same files in any order give the same bytes.
Runs in a child process with a clock and a memory limit: decoders may hang or die on hostile input.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloudfilm.imaging.exactstack import pack
from cloudfilm.imaging.header import Header
from cloudfilm.imaging.picture import CannotShow
from cloudfilm.imaging.reading import FrameReader, Member, survey
from cloudfilm.imaging.stackfile import StackInTheMaking
from cloudfilm.imaging.stacks import assemble

Entry = dict[str, Any]


def build_series(files: list[Path], out: Path, progress: Callable[[int], None]) -> Entry:
    """Write `out/exact` and `out/<n>.preview`, return the manifest's series entry (docs/formats/contracts.md 1, 2).

    `files`: all files of one series. `progress` is called with the number of instances done. A file that cannot be shown is kept
    verbatim and says `why`; only a file that cannot be read from disk raises (OSError).
    """
    members = survey(files)
    shown = [member for member in members if member.facts is not None]
    facts = [member.facts for member in shown if member.facts is not None]
    reader = FrameReader([member.path for member in shown])
    keys = [uid for member in members for uid in member.keys]
    making: list[StackInTheMaking] = []
    for plan in assemble(facts, keys):
        try:
            making.append(StackInTheMaking(plan, facts, reader))
        except CannotShow:
            continue  # each of its instances says why when it is packed
    reader.forget()
    order = _instance_order(making, len(shown))
    rest = [member for member in members if member.facts is None]
    entries, size, digest = _write_exact(order, shown, rest, making, out / "exact", progress)
    new_index = {old: new for new, old in enumerate(order)}
    stacks: list[Entry] = []
    for stack in making:
        entry = stack.finish(len(stacks), out, new_index)
        if entry is not None:
            stacks.append(entry)
    return {**_series_words(members), "exact": {"size": size, "sha256": digest}, "instances": entries, "stacks": stacks}


def content_id(sha256s: list[str]) -> str:
    """The name of a series' content: the same instances always give the same one."""
    return hashlib.sha256("\n".join(sorted(sha256s)).encode("ascii")).hexdigest()


def _instance_order(making: list[StackInTheMaking], count: int) -> list[int]:
    """Indices of the shown instances in stack order, those in no stack last (they are sorted by SOP UID already)."""
    seen = dict.fromkeys(placed.instance for stack in making for placed in stack.plan.frames)
    return list(dict.fromkeys([*seen, *range(count)]))


def _write_exact(
    order: list[int],
    shown: list[Member],
    rest: list[Member],
    making: list[StackInTheMaking],
    path: Path,
    progress: Callable[[int], None],
) -> tuple[list[Entry], int, str]:
    entries: list[Entry] = []
    at, digest = 0, hashlib.sha256()
    with path.open("wb") as exact:
        for index, member in [*((i, shown[i]) for i in order), *((-1, m) for m in rest)]:
            blob, packed = _packed(index, member, making)
            exact.write(blob)
            digest.update(blob)
            entries.append(_instance_entry(member, packed, at, len(blob)))
            at += len(blob)
            progress(len(entries))
    return entries, at, digest.hexdigest()


def _packed(index: int, member: Member, making: list[StackInTheMaking]) -> tuple[bytes, Entry]:
    def look(frame: int, cells: np.ndarray) -> None:
        for stack in making:
            if stack.wants(index, frame):
                stack.add(index, frame, cells)

    blob, packed = pack(member.path.read_bytes(), look)
    if member.why:
        packed["why"] = member.why
    return blob, packed


def _instance_entry(member: Member, packed: Entry, at: int, stored: int) -> Entry:
    header = member.header
    entry: Entry = {
        "sop_instance_uid": header.sop_instance_uid if header else "",
        "sop_class_uid": header.sop_class_uid if header else "",
        "at": at,
        "stored": stored,
    }
    return {**entry, **packed}


def _series_words(members: list[Member]) -> Entry:
    """What the series says of itself, in the words of its first instance."""
    headers = [member.header for member in members if member.header is not None]
    first = min(headers, key=_speaks_first, default=None)
    return {
        "series_instance_uid": first.series_instance_uid if first else "",
        "content_id": content_id([member.sha256 for member in members]),
        "number": first.series_number if first else None,
        "modality": first.modality if first else "",
        "description": first.series_description if first else "",
        "body_part": first.body_part if first else "",
    }


def _speaks_first(header: Header) -> tuple[bool, int, str]:
    return (header.instance_number is None, header.instance_number or 0, header.sop_instance_uid)
