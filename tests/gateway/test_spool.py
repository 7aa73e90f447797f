"""Acknowledged means it survives: power cuts at every step, doubles, other content under one UID, a full disk, a dead writer."""

import contextlib
import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudfilm.gateway.disk import RealDisk
from cloudfilm.gateway.spool import Spool, SpoolFull

from .powercut import PowerCut, PowerCutDisk

FIRST, OTHER, SECOND = b"first" * 50, b"other" * 70, b"second" * 90


def _story(spool: Spool, acknowledged: list[tuple[str, str, bytes]]) -> None:
    """Two studies, a double, and another content under a used UID."""
    for study, uid, data in (("aa", "1.1", FIRST), ("aa", "1.2", SECOND), ("bb", "1.3", FIRST), ("aa", "1.1", FIRST), ("aa", "1.1", OTHER)):
        spool.keep(study, uid, data)
        acknowledged.append((study, uid, data))


def _steps(folder: Path) -> int:
    folder.mkdir()
    disk = PowerCutDisk(folder)
    _story(Spool(folder, disk, 0), [])
    return disk.steps


def test_after_a_power_cut_at_any_step_every_acknowledged_instance_is_there_whole_and_nothing_half_written_is_taken(tmp_path: Path) -> None:
    steps = _steps(tmp_path / "whole")
    assert steps > 10
    for cut in range(steps + 1):
        root = tmp_path / f"before-{cut}"
        root.mkdir()
        acknowledged: list[tuple[str, str, bytes]] = []
        disk = PowerCutDisk(root, cut)
        with contextlib.suppress(PowerCut):
            _story(Spool(root, disk, 0), acknowledged)
        for seed in range(12):
            left = tmp_path / f"after-{cut}-{seed}"
            disk.survivors(left, seed)
            _check_kept(Spool(left, free_floor=0), acknowledged, (cut, seed))


def _check_kept(spool: Spool, acknowledged: list[tuple[str, str, bytes]], when: tuple[int, int]) -> None:
    spool.sweep()
    kept = {}
    for place in (spool.studies, spool.held):
        for path in place.rglob("*.dcm"):
            sha256 = path.name.split(".")[-2]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"taken for whole, but is not: {when}"
            kept[path.parent.name, sha256] = place
    for study, _, data in acknowledged:
        assert (study, hashlib.sha256(data).hexdigest()) in kept, f"acknowledged and lost: {when}"
    for study in spool.studies.iterdir():
        uids = [k.sop_instance_uid for k in spool.instances(study.name)]
        assert len(uids) == len(set(uids)), f"two contents under one UID: {when}"
    spool.close()


def test_a_cut_in_the_middle_of_a_report_leaves_no_half_report(tmp_path: Path) -> None:
    files = {"sidecar.json": b"{}", "report.pdf": b"%PDF-1.7 whole %%EOF"}
    for cut in range(40):
        root = tmp_path / f"before-{cut}"
        root.mkdir()
        disk = PowerCutDisk(root, cut)
        done = False
        try:
            Spool(root, disk, 0).keep_report("r", files)
            done = True
        except PowerCut:
            pass
        for seed in range(8):
            left = tmp_path / f"after-{cut}-{seed}"
            disk.survivors(left, seed)
            folder = left / "reports" / "r"
            seen = (folder / "sidecar.json").exists()
            assert seen or not done
            if seen:
                assert {name: (folder / name).read_bytes() for name in files} == files
    assert done


def test_the_same_instance_again_is_success_and_kept_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, free_floor=0)
    assert [spool.keep("aa", "1.1", FIRST).state for _ in range(3)] == ["new", "same", "same"]
    assert [k.path.read_bytes() for k in spool.instances("aa")] == [FIRST]


def test_other_content_under_a_used_uid_is_held_and_never_in_the_others_place(tmp_path: Path) -> None:
    spool = Spool(tmp_path, free_floor=0)
    spool.keep("aa", "1.1", FIRST)
    held = spool.keep("aa", "1.1", OTHER)
    assert held.state == "held" and held.path.read_bytes() == OTHER
    assert [k.path.read_bytes() for k in spool.instances("aa")] == [FIRST]


def test_two_processes_cannot_keep_two_contents_under_one_uid(tmp_path: Path) -> None:
    ours, theirs = Spool(tmp_path, free_floor=0), Spool(tmp_path, free_floor=0)
    assert ours.keep("aa", "1.0", FIRST).state == "new"  # the study is now known to both
    assert theirs.keep("aa", "1.0", FIRST).state == "same"
    assert theirs.keep("aa", "1.1", FIRST).state == "new"
    assert ours.keep("aa", "1.1", OTHER).state == "held"


def test_many_threads_with_two_contents_of_one_uid_keep_one(tmp_path: Path) -> None:
    spools = [Spool(tmp_path, free_floor=0), Spool(tmp_path, free_floor=0)]
    states: list[str] = []
    gate = threading.Barrier(8)

    def send(n: int) -> None:
        gate.wait()
        states.append(spools[n % 2].keep("aa", "1.1", f"content {n}".encode()).state)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["held"] * 7 + ["new"]
    assert len(spools[0].instances("aa")) == 1


class SmallDisk(RealDisk):
    """A disk of `size` bytes, of which the spool's files take their part."""

    def __init__(self, root: Path, size: int) -> None:
        self.root, self.size = root, size

    def free_bytes(self, folder: Path) -> int:
        return self.size - sum(p.stat().st_size for p in self.root.rglob("*") if p.is_file())


def test_a_nearly_full_disk_refuses_before_it_is_full_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path, 3000)
    spool = Spool(tmp_path, disk, free_floor=1000)
    taken = 0
    with pytest.raises(SpoolFull):
        for n in range(100):
            spool.keep("aa", f"1.{n}", bytes([n]) * 500)
            taken += 1
    assert taken == 3 and disk.free_bytes(tmp_path) >= 1000
    assert not list(spool.incoming.rglob("*.dcm")) and len(spool.instances("aa")) == taken
    disk.size = 10_000
    assert spool.keep("aa", "1.99", b"again" * 100).state == "new"


def test_a_disk_that_fails_in_the_middle_keeps_nothing_half(tmp_path: Path) -> None:
    class Broken(RealDisk):
        def sync(self, path: Path) -> None:
            raise OSError(5, "Input/output error")

    spool = Spool(tmp_path, Broken(), free_floor=0)
    with pytest.raises(SpoolFull):
        spool.keep("aa", "1.1", FIRST)
    assert not spool.instances("aa") and not [p for p in spool.incoming.rglob("*") if p.is_file()]


def _half_written(root: Path, then: str) -> subprocess.Popen[bytes]:
    """A process that has written half an instance, and waits."""
    code = f"""
import os, sys
from pathlib import Path
from cloudfilm.gateway.disk import RealDisk
from cloudfilm.gateway.spool import Spool
class Halting(RealDisk):
    def write(self, path, data):
        super().write(path, data[:5])
        print("half", flush=True)
        {then}
Spool(Path({str(root)!r}), Halting(), 0).keep("aa", "1.1", b"whole content")
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"half\n"
    return process


def _left(root: Path) -> list[Path]:
    return [p for p in (root / "incoming").rglob("*") if p.is_file()]


def test_the_sweep_takes_what_a_killed_process_left_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    living = _half_written(tmp_path, "sys.stdin.read(); path.write_bytes(data)")
    killed = _half_written(tmp_path, "sys.stdin.read()")
    killed.kill()
    killed.wait()
    assert len(_left(tmp_path)) == 2
    spool = Spool(tmp_path, free_floor=0)
    spool.sweep()
    assert len(_left(tmp_path)) == 1
    living.communicate()
    assert living.returncode == 0
    assert [k.path.read_bytes() for k in spool.instances("aa")] == [b"whole content"]


@pytest.mark.parametrize("settle", [lambda s: None, lambda s: s.keep("aa", "1.2", SECOND)])
def test_a_study_is_changed_until_it_is_published_as_it_lies(tmp_path: Path, settle: Callable[[Spool], object]) -> None:
    spool = Spool(tmp_path, free_floor=0)
    spool.keep("aa", "1.1", FIRST)
    settle(spool)
    ((key, count, mtime),) = spool.changed({})
    assert key == "aa" and count == len(spool.instances("aa"))
    assert not list(spool.changed({"aa": (mtime, count)}))
    assert list(spool.changed({"aa": (mtime, count - 1)})) == [("aa", count, mtime)]
