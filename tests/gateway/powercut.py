"""A disk whose power is cut at a chosen step, and what may be left of it.

It works on a real folder and remembers what was flushed. After the cut, `survivors` writes into a fresh folder one tree that a real
disk might have kept: each name that was not flushed is there or not there (in any order), each file that was not flushed is whole,
cut or empty. What was flushed is there.
"""

import os
import random
from pathlib import Path

from cloudfilm.gateway.disk import RealDisk


class PowerCut(BaseException):
    """The machine is off: nothing of the process goes on, so nothing may catch this."""


class PowerCutDisk(RealDisk):
    """Counts its steps and cuts the power before step `cut_before` (from 0)."""

    def __init__(self, root: Path, cut_before: int | None = None) -> None:
        self.root, self.steps, self._cut_before = root, 0, cut_before
        self._flushed: dict[int, bytes] = {}  # inode -> content that is on the platter
        self._names: dict[Path, dict[str, int]] = {root: {}}  # folder -> names on the platter with their inodes

    def _step(self) -> None:
        if self.steps == self._cut_before:
            raise PowerCut
        self.steps += 1

    def write(self, path: Path, data: bytes) -> None:
        self._step()
        super().write(path, data)

    def sync(self, path: Path) -> None:
        self._step()
        self._flushed[path.stat().st_ino] = path.read_bytes()

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._step()
        self._names[folder] = {entry.name: entry.inode() for entry in os.scandir(folder)}

    def survivors(self, into: Path, seed: int) -> None:
        """One tree that the disk may hold after the cut; seed 0: only what was flushed."""
        self._copy(self.root, into, random.Random(seed) if seed else None)

    def _copy(self, folder: Path, into: Path, luck: random.Random | None) -> None:
        into.mkdir(exist_ok=True)
        live = {entry.name: entry.inode() for entry in os.scandir(folder)}
        flushed = self._names.get(folder, {})
        for name in sorted({*live, *flushed}):
            inode = live.get(name) if luck and luck.random() < 0.5 else flushed.get(name)
            if inode is None:
                continue
            path = folder / name
            if path.is_dir():
                self._copy(path, into / name, luck)
            elif inode in self._flushed:
                (into / name).write_bytes(self._flushed[inode])
            else:
                whole = path.read_bytes() if path.exists() else b""
                (into / name).write_bytes(whole[: luck.randint(0, len(whole))] if luck else b"")
