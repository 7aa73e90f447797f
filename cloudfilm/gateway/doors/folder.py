"""The watched folder: files that have stopped growing are taken. Polled, because inotify is blind on SMB and NFS mounts."""

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..intake import Intake, What, in_order, looks_whole
from ..spool import SpoolFull

log = logging.getLogger(__name__)

STABLE_S = 1.0  # size and time unchanged for so long
PUT_OFF_S = 60.0  # a file that cannot be taken is tried again
PATIENCE_S = 15.0  # the same for a file that looks cut: its sender may only be slow
TAKEN = "taken"


@dataclass(slots=True)
class _Seen:
    """A file as it was last seen; `since` (monotonic): unchanged from then on; `whole`: what it says itself, None before it is asked."""

    size: int
    mtime_ns: int
    since: float
    whole: bool | None = None


class FolderDoor:
    """Polls one folder; what is durable moves to its sub-folder `taken/`, what is unusable to quarantine in the spool."""

    def __init__(self, folder: Path, intake: Intake) -> None:
        self._folder, self._intake = folder, intake
        self._seen: dict[Path, _Seen] = {}
        self._later: dict[Path, float] = {}  # put off until (monotonic)
        folder.mkdir(parents=True, exist_ok=True)

    def poll(self) -> int:
        """Take what is ready; returns how many files were taken. What fails with one file is that file's matter alone."""
        taken = 0
        for path in self._ready():
            try:
                taken += self._take(path)
            except SpoolFull as error:
                log.error(str(error))
                return taken
            except OSError as error:
                self._put_off(path, f"it cannot be read or moved ({error.strerror})")
            except Exception as error:  # the net of one file: a hostile one must not stop those behind it
                self._put_off(path, f"{type(error).__name__}")
        return taken

    def _take(self, path: Path) -> bool:
        done = self._intake.take_path(path)
        if done.what is What.WAITING:
            return False
        if done.what is What.QUARANTINED:
            log.warning("a file of the watched folder went to quarantine", extra={"reason": done.note})
        self._move_away(path)
        if done.what is What.REPORT:
            self._move_pdf(path)
        return True

    def _put_off(self, path: Path, why: str) -> None:
        log.error("a file of the watched folder could not be taken and is left there for a while", extra={"why": why})
        self._later[path] = time.monotonic() + PUT_OFF_S

    def _ready(self) -> list[Path]:
        now, ready, present = time.monotonic(), [], {}
        for path, stat in _walk(self._folder, TAKEN):
            seen = self._seen.get(path)
            if seen is None or (stat.st_size, stat.st_mtime_ns) != (seen.size, seen.mtime_ns):
                seen = _Seen(stat.st_size, stat.st_mtime_ns, now)
            present[path] = seen
            if now - seen.since >= STABLE_S and now >= self._later.get(path, 0.0) and _rests(path, seen, now):
                ready.append(path)
        self._seen = present
        self._later = {path: until for path, until in self._later.items() if path in present}
        return in_order(ready)

    def _move_away(self, path: Path) -> None:
        target = self._folder / TAKEN / path.relative_to(self._folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)  # one file system: `taken` lies in the folder itself

    def _move_pdf(self, sidecar_path: Path) -> None:
        from cloudfilm.domain import sidecar

        moved = self._folder / TAKEN / sidecar_path.relative_to(self._folder)
        pdf = sidecar_path.parent / sidecar.read(moved.read_bytes()).pdf
        if pdf.is_file():
            self._move_away(pdf)


def _rests(path: Path, seen: _Seen, now: float) -> bool:
    """Whether to take it: at once when it says itself that it is whole, else only after patience."""
    if seen.whole is None:
        try:
            seen.whole = looks_whole(path)
        except OSError:
            return False
    return seen.whole or now - seen.since >= PATIENCE_S


def _walk(folder: Path, leave_out: str = "") -> Iterator[tuple[Path, os.stat_result]]:
    """Plain files below `folder`; hidden ones, those named .part or .tmp, and the sub-folder `leave_out` are passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith((".part", ".tmp")):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != leave_out:
                    yield from _walk(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path), entry.stat(follow_symlinks=False)
        except OSError:
            continue
