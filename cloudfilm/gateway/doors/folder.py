"""The watched folder: files that have stopped growing are taken. Polled, because inotify is blind on SMB and NFS mounts."""

import logging
import shutil
import time
from pathlib import Path

from ..intake import Intake, What, files_under
from ..spool import SpoolFull

log = logging.getLogger(__name__)

STABLE_S = 1.0  # size and time unchanged for so long
TAKEN = "taken"


class FolderDoor:
    """Polls one folder; what is durable moves to its sub-folder `taken/`, what is unusable to quarantine in the spool."""

    def __init__(self, folder: Path, intake: Intake) -> None:
        self._folder, self._intake = folder, intake
        self._seen: dict[Path, tuple[int, int, float]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def poll(self) -> int:
        """Take what is ready; returns how many files were taken."""
        taken = 0
        for path in self._ready():
            try:
                done = self._intake.take_path(path)
            except SpoolFull as error:
                log.error(str(error))
                return taken
            except OSError:
                continue
            if done.what is What.WAITING:
                continue
            if done.what is What.QUARANTINED:
                log.warning("a file of the watched folder went to quarantine", extra={"reason": done.note})
            self._move_away(path)
            if done.what is What.REPORT:
                self._move_pdf(path)
            taken += 1
        return taken

    def _ready(self) -> list[Path]:
        now, ready, present = time.monotonic(), [], {}
        for path in files_under([self._folder]):
            parts = path.relative_to(self._folder).parts
            if parts[0] == TAKEN or path.name.startswith(".") or path.suffix in (".part", ".tmp"):
                continue
            try:
                stat = path.stat()
            except OSError:
                continue
            size, mtime, since = self._seen.get(path, (-1, -1, now))
            if (stat.st_size, stat.st_mtime_ns) != (size, mtime):
                since = now
            present[path] = (stat.st_size, stat.st_mtime_ns, since)
            if now - since >= STABLE_S:
                ready.append(path)
        self._seen = present
        return ready

    def _move_away(self, path: Path) -> None:
        target = self._folder / TAKEN / path.relative_to(self._folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)

    def _move_pdf(self, sidecar_path: Path) -> None:
        from cloudfilm.domain import sidecar

        moved = self._folder / TAKEN / sidecar_path.relative_to(self._folder)
        pdf = sidecar_path.parent / sidecar.read(moved.read_bytes()).pdf
        if pdf.is_file():
            self._move_away(pdf)
