"""A series that breaks its child: find the files that do it, build the rest, keep those as received at the end of the exact stack.

One hostile or damaged file among a thousand must cost one picture, not the series.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .verbatim import verbatim_series
from .workers import ChildFailed

Entry = dict[str, Any]
Build = Callable[[list[Path], Path], Entry]  # the series entry of these files, objects in that folder; raises ChildFailed

PROBES_MAX = 40  # children spent on looking for the culprits; what is not found by then is kept as received with its half


def build_around(paths: list[Path], out: Path, build: Build) -> Entry:
    """The entry of all `paths` with pictures of all that break nothing; writes into `out`, which must be empty. Deterministic."""
    broken = _breaking(sorted(paths, key=lambda path: path.name), out / "probe", build)
    good = [path for path in paths if path not in set(broken)]
    if not broken or not good:  # together they are too much, or nothing is left
        return verbatim_series(paths, out)
    try:
        entry = build(good, out)
    except ChildFailed:
        _emptied(out)
        return verbatim_series(paths, out)
    (out / "kept").mkdir()
    return _joined(entry, verbatim_series(broken, out / "kept"), out)


def _breaking(paths: list[Path], probe: Path, build: Build) -> list[Path]:
    """The files that break a child, found by halves."""
    found: list[Path] = []
    suspects, probes = [paths], 0
    while suspects:
        group = suspects.pop()
        if len(group) == 1 or probes >= PROBES_MAX:
            found += group
            continue
        for half in (group[: len(group) // 2], group[len(group) // 2 :]):
            probe.mkdir()
            probes += 1
            try:
                build(half, probe)
            except ChildFailed:
                suspects.append(half)
            finally:
                shutil.rmtree(probe, ignore_errors=True)
    return found


def _joined(entry: Entry, kept: Entry, out: Path) -> Entry:
    """`entry` with the instances of `kept` behind its own; `out/kept/exact` goes to the end of `out/exact`."""
    at = entry["exact"]["size"]
    with (out / "exact").open("ab") as exact, (out / "kept" / "exact").open("rb") as more:
        shutil.copyfileobj(more, exact)
    with (out / "exact").open("rb") as exact:
        digest = hashlib.file_digest(exact, "sha256").hexdigest()
    instances = entry["instances"] + [{**instance, "at": instance["at"] + at} for instance in kept["instances"]]
    content_id = hashlib.sha256("\n".join(sorted(instance["sha256"] for instance in instances)).encode()).hexdigest()
    return {
        **entry,
        "content_id": content_id,
        "instances": instances,
        "exact": {"size": at + kept["exact"]["size"], "sha256": digest},
    }


def _emptied(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()
