"""The spool: what was acknowledged survives a power cut, and its state is where the file lies.

    incoming/                              being written; swept at start
    studies/<study key>/<SOP UID>.<sha-256>.dcm   kept instances; any DICOM tool reads them
    held/<study key>/<SOP UID>.<sha-256>.dcm      same UID, other content: waits for a person
    quarantine/<sha-256>-<n> and .txt      what nobody can read, with the reason
    reports/<sha-256>/                     sidecar.json and report.pdf of one report version

The hash in an instance's name is that of its bytes at reception: rot is found before upload (SECURITY.md 8).
"""

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .disk import Disk, RealDisk

FREE_FLOOR_BYTES = 256 << 20  # below this the doors refuse, while what is here can still be published


class SpoolFull(Exception):
    """No room: the sender keeps it and sends again later (DICOM status A700)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance in the spool."""

    path: Path
    sop_instance_uid: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What keeping an instance did: `new`, `same` (these bytes were here) or `held` (another content under this UID is here)."""

    state: str
    path: Path


class Spool:
    """Files of the hospital side under one folder, used by several processes at once."""

    def __init__(self, root: Path, disk: Disk | None = None, free_floor: int = FREE_FLOOR_BYTES) -> None:
        self.root = root
        self._disk: Disk = disk or RealDisk()
        self._free_floor = free_floor
        self.incoming, self.studies, self.held = root / "incoming", root / "studies", root / "held"
        self.quarantined, self.reports = root / "quarantine", root / "reports"
        for folder in (self.incoming, self.studies, self.held, self.quarantined, self.reports):
            folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, dict[str, str]] = {}  # study key -> SOP UID -> sha-256 of what is kept
        self._lock = threading.Lock()

    def sweep(self) -> None:
        """Remove what a crash left half-written; call once at start, before the doors open."""
        for path in self.incoming.iterdir():
            with contextlib.suppress(OSError):
                path.unlink()

    def keep(self, study_key: str, sop_instance_uid: str, data: bytes) -> Outcome:
        """Make a received instance durable; on return the sender may be told success. Raises SpoolFull."""
        sha256 = hashlib.sha256(data).hexdigest()
        folder = self.studies / study_key
        with self._lock:
            known = self._instances(study_key)
            kept = known.get(sop_instance_uid)
            if kept is None:
                known[sop_instance_uid] = sha256
        name = f"{sop_instance_uid}.{sha256}.dcm"
        if kept == sha256 and (folder / name).exists():
            self._disk.sync_folder(folder)  # another thread's rename may not be durable yet
            return Outcome("same", folder / name)
        if kept is not None and kept != sha256:
            self._place(self.held / study_key, name, data)
            return Outcome("held", self.held / study_key / name)
        try:
            self._place(folder, name, data)
        except BaseException:
            with self._lock:
                self._known.pop(study_key, None)
            raise
        return Outcome("new", folder / name)

    def _instances(self, study_key: str) -> dict[str, str]:
        if study_key not in self._known:
            if len(self._known) > 2000:
                self._known.clear()
            self._known[study_key] = {k.sop_instance_uid: k.sha256 for k in self.instances(study_key)}
        return self._known[study_key]

    def _place(self, folder: Path, name: str, data: bytes) -> None:
        """Write beside, flush, rename into place, flush the folder: the only way anything enters the spool."""
        if self._disk.free_bytes(self.root) < self._free_floor + len(data):
            raise SpoolFull("The spool's disk is nearly full; send again when the operator has made room. Nothing was taken.")
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        beside = self.incoming / secrets.token_hex(16)
        try:
            self._disk.write(beside, data)
            self._disk.sync(beside)
            self._disk.rename(beside, folder / name)
            self._disk.sync_folder(folder)
            if made:
                self._disk.sync_folder(folder.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise SpoolFull(f"The spool cannot be written ({error.strerror}); send again later. Nothing was taken.") from error

    def quarantine(self, data: bytes, reason: str) -> Path:
        """Keep what cannot be used, with the reason in words beside it."""
        name = hashlib.sha256(data).hexdigest()
        self._place(self.quarantined, name, data)
        self._place(self.quarantined, f"{name}.txt", f"{reason}\n".encode())
        return self.quarantined / name

    def keep_report(self, identity: str, files: dict[str, bytes]) -> Path:
        """Make a report's files durable under reports/<identity>; the sidecar is placed last, so a report seen is whole."""
        folder = self.reports / identity
        for name in sorted(files, key=lambda n: n == "sidecar.json"):
            if not (folder / name).exists():
                self._place(folder, name, files[name])
        return folder

    def instances(self, study_key: str) -> list[Kept]:
        """Kept instances of a study, by name."""
        return list(self._listed(self.studies / study_key))

    def _listed(self, folder: Path) -> Iterator[Kept]:
        try:
            paths = sorted(folder.iterdir())
        except FileNotFoundError:
            return
        for path in paths:
            uid, _, sha256 = path.name.removesuffix(".dcm").rpartition(".")
            if path.suffix == ".dcm" and len(sha256) == 64:
                yield Kept(path, uid, sha256)

    def set_aside(self, kept: Kept, reason: str) -> None:
        """An instance that rotted in the spool or cannot be used any more goes to quarantine."""
        target = self.quarantined / kept.path.name
        (self.quarantined / f"{kept.path.name}.txt").write_text(f"{reason}\n")
        self._disk.rename(kept.path, target)
        self._disk.sync_folder(self.quarantined)
        with self._lock:
            self._known.pop(kept.path.parent.name, None)

    def study_keys(self) -> Iterator[tuple[str, int, int]]:
        """(study key, instances, nanoseconds of the last arrival) of every study in the spool."""
        for folder in sorted(self.studies.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                yield folder.name, len(list(folder.iterdir())), folder.stat().st_mtime_ns
