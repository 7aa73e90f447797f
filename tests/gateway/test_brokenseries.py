"""A file that kills, hangs or fills its decoder costs its own picture, not the series."""

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cloudfilm.gateway import workers
from cloudfilm.gateway.brokenseries import build_around

from .hospital import slices

KILLER = "kill"


def build_or_die(paths: list[str], out: str, progress: str) -> dict[str, Any]:
    """The real job, in a decoder that dies of files with a certain name, or of more than 7 files where so named."""
    if any(KILLER in path for path in paths) or ("few" in paths[0] and len(paths) > 7):
        os.kill(os.getpid(), signal.SIGSEGV)
    return workers.build_series(paths, out, progress)


def build(files: list[Path], out: Path) -> dict[str, Any]:
    return workers.run(build_or_die, [str(p) for p in files], str(out), str(out / "progress"), seconds=100)


def whole(entry: dict[str, Any], out: Path, paths: list[Path]) -> None:
    """What must be true of each series entry, whatever broke."""
    exact = (out / "exact").read_bytes()
    assert (len(exact), hashlib.sha256(exact).hexdigest()) == (entry["exact"]["size"], entry["exact"]["sha256"])
    hashes = sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in paths)
    assert sorted(i["sha256"] for i in entry["instances"]) == hashes
    assert entry["content_id"] == hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    for instance in entry["instances"]:
        if instance["mode"] == "verbatim":
            stored = exact[instance["at"] : instance["at"] + instance["stored"]]
            assert hashlib.sha256(stored).hexdigest() == instance["sha256"]


@pytest.mark.parametrize("killers", [[3], [0, 5]])
def test_the_files_that_break_the_decoder_are_kept_and_the_rest_is_shown(tmp_path: Path, killers: list[int]) -> None:
    paths = slices(tmp_path / "sent", 6)
    for n in killers:
        paths[n] = paths[n].rename(paths[n].with_name(f"{n:03d}-{KILLER}.dcm"))
    (tmp_path / "out").mkdir()
    entry = build_around(paths, tmp_path / "out", build)
    whole(entry, tmp_path / "out", paths)
    assert sum(len(stack["frames"]) for stack in entry["stacks"]) == 6 - len(killers)
    assert sum("why" in instance for instance in entry["instances"]) == len(killers)
    (tmp_path / "again").mkdir()
    assert build_around(list(reversed(paths)), tmp_path / "again", build) == entry


def test_what_breaks_only_together_is_kept_as_received(tmp_path: Path) -> None:
    paths = slices(tmp_path / "few", 8)
    (tmp_path / "out").mkdir()
    entry = build_around(paths, tmp_path / "out", build)
    whole(entry, tmp_path / "out", paths)
    assert entry["stacks"] == []
