"""The spool: what was acknowledged survives a power cut, and its state is where the file lies.

    incoming/<process>/                    being written; swept at start, unless its process lives
    studies/<study key>/<SOP UID>.<sha-256>.dcm   kept instances; any DICOM tool reads them
    held/<study key>/<SOP UID>.<sha-256>.dcm      same UID, other content: waits for a person
    quarantine/<sha-256>-<n> and .txt      what nobody can read, with the reason
    reports/<sha-256>/                     sidecar.json and report.pdf of one report version

The hash in an instance's name is that of its bytes at reception: rot is found before upload (SECURITY.md 8).
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
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
        self.quarantined, self.reports, self.encoding = root / "quarantine", root / "reports", root / "encoding"
        for folder in (self.incoming, self.studies, self.held, self.quarantined, self.reports, self.encoding):
            folder.mkdir(parents=True, exist_ok=True)
        self._disk.sync_folder(root)
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, str]] = {}  # study key -> SOP UID -> sha-256 of what is kept
        self._rooted: set[Path] = set()  # folders whose own name is durable
        self._nonce = secrets.token_hex(16).encode()
        self._claim = os.open(root / "claim", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with self._alone():
            self._beside = Path(tempfile.mkdtemp(dir=self.incoming))
            self._alive = os.open(self._beside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._alive, fcntl.LOCK_EX)  # the kernel lets go when this process dies, however it dies

    def close(self) -> None:
        """Let go of what is open; what is kept stays."""
        os.close(self._alive)
        os.close(self._claim)

    def sweep(self) -> None:
        """Remove what a dead process left half-written; call once at start, before the doors open."""
        with self._alone():
            for path in [*self.incoming.iterdir(), *self.encoding.iterdir()]:
                with contextlib.suppress(OSError):
                    if path.is_dir():
                        _remove_unless_alive(path)
                    else:
                        path.unlink()

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the spool's disk for what is being made of it; gone afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.encoding))
        alive = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(alive, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            os.close(alive)
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, study_key: str, sop_instance_uid: str, data: bytes) -> Outcome:
        """Make a received instance durable; on return the sender may be told success. Raises SpoolFull."""
        sha256 = hashlib.sha256(data).hexdigest()
        folder, name = self.studies / study_key, f"{sop_instance_uid}.{sha256}.dcm"
        with self._alone():
            here = self._instances(study_key).get(sop_instance_uid) == sha256 and (folder / name).exists()
        if here:
            with _as_full():
                self._root(folder)
                self._disk.sync_folder(folder)  # whoever placed it may not have come so far yet
            return Outcome("same", folder / name)
        beside = self._write(data)
        with _as_full(beside):
            with self._alone():  # no other thread or process can add this UID between the look and the rename
                known = self._instances(study_key)
                kept = known.get(sop_instance_uid)
                place = folder if kept in (None, sha256) else self.held / study_key
                place.mkdir(exist_ok=True)
                self._disk.rename(beside, place / name)
                if place is folder:
                    known[sop_instance_uid] = sha256
            self._root(place)
            self._disk.sync_folder(place)
        return Outcome("new" if place is folder else "held", place / name)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Only this thread of only this process changes names in the spool meanwhile."""
        with self._lock:
            fcntl.flock(self._claim, fcntl.LOCK_EX)
            try:
                if os.pread(self._claim, len(self._nonce), 0) != self._nonce:  # another process was here: look again
                    self._known.clear()
                    os.pwrite(self._claim, self._nonce, 0)
                yield
            finally:
                fcntl.flock(self._claim, fcntl.LOCK_UN)

    def _instances(self, study_key: str) -> dict[str, str]:
        if study_key not in self._known:
            if len(self._known) > 2000:
                self._known.clear()
            self._known[study_key] = {k.sop_instance_uid: k.sha256 for k in self.instances(study_key)}
        return self._known[study_key]

    def _write(self, data: bytes) -> Path:
        """Durable bytes under a name that nobody takes for kept. Raises SpoolFull."""
        if self._disk.free_bytes(self.root) < self._free_floor + len(data):
            raise SpoolFull("The spool's disk is nearly full; send again when the operator has made room. Nothing was taken.")
        beside = self._beside / secrets.token_hex(16)
        with _as_full(beside):
            self._disk.write(beside, data)
            self._disk.sync(beside)
        return beside

    def _root(self, folder: Path) -> None:
        """The folder with a durable name. A name that another thread or a dead process made may not be durable: it is synced again."""
        if folder in self._rooted and folder.exists():
            return
        folder.mkdir(exist_ok=True)
        self._disk.sync_folder(folder.parent)
        if len(self._rooted) > 5000:
            self._rooted.clear()
        self._rooted.add(folder)

    def _place(self, folder: Path, name: str, data: bytes) -> None:
        """Write beside, flush, rename into place, flush the folder: the only way anything enters the spool."""
        beside = self._write(data)
        with _as_full(beside):
            self._root(folder)
            self._disk.rename(beside, folder / name)
            self._disk.sync_folder(folder)

    def quarantine(self, data: bytes, reason: str) -> Path:
        """Keep what cannot be used, with the reason in words beside it."""
        name = hashlib.sha256(data).hexdigest()
        self._place(self.quarantined, f"{name}.txt", f"{reason}\n".encode())
        self._place(self.quarantined, name, data)
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
        self._place(self.quarantined, f"{kept.path.name}.txt", f"{reason}\n".encode())
        with self._alone():
            self._disk.rename(kept.path, self.quarantined / kept.path.name)
            self._known.pop(kept.path.parent.name, None)
        self._disk.sync_folder(self.quarantined)
        self._disk.sync_folder(kept.path.parent)

    def changed(self, published: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
        """(study key, instances, st_mtime_ns of its folder) of the studies that are not in `published` as they lie now.

        A folder's time changes with each arrival, but only in ticks of some milliseconds: young folders are counted as well.
        """
        young = time.time_ns() - 10_000_000_000
        for entry in sorted(os.scandir(self.studies), key=lambda e: e.name):
            with contextlib.suppress(FileNotFoundError):
                mtime_ns = entry.stat().st_mtime_ns  # before the count: what comes in between makes the time differ
                last = published.get(entry.name)
                if last is not None and last[0] == mtime_ns < young:
                    continue
                seen = (mtime_ns, len(os.listdir(entry.path)))  # noqa: PTH208  count only, no paths made
                if seen != last:
                    yield entry.name, seen[1], mtime_ns


@contextlib.contextmanager
def _as_full(beside: Path | None = None) -> Iterator[None]:
    """A disk that fails is told as a full one: the sender keeps what it has. Removes `beside`."""
    try:
        yield
    except OSError as error:
        if beside is not None:
            with contextlib.suppress(OSError):
                beside.unlink()
        raise SpoolFull(f"The spool cannot be written ({error.strerror}); send again later. Nothing was taken.") from error


def _remove_unless_alive(folder: Path) -> None:
    """Remove a process's folder when that process is gone: then nobody holds its lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
