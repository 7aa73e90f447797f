"""A whole installation of a test's own: `cloudfilm up` in a temporary home, on free ports, and all processes it has."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_ports

ROOT = Path(__file__).resolve().parent.parent
WAIT_S_MAX = 60.0


def environment(home: Path) -> dict[str, str]:
    """Variables of an installation in `home` on free ports; no setting of the person who runs the tests comes through."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFILM_")}
    port, dicom = free_ports(2)
    own = {"HOME": str(home), "PORT": str(port), "DICOM_PORT": str(dicom), "QUIET_SECONDS": "0.5", "WEB_WORKERS": "1", "ENCODERS": "1"}
    return kept | {f"CLOUDFILM_{name}": value for name, value in own.items()}


@dataclass
class Up:
    """A running `cloudfilm up`. `said`: file of what it wrote to the terminal."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    said: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['CLOUDFILM_PORT']}"

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def child(self, name: str) -> int | None:
        """Process id of the child with this name."""
        for pid in _children(self.process.pid):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if name.encode() in words:
                    return pid
        return None


@contextlib.contextmanager
def up(home: Path, more: Mapping[str, str] | None = None) -> Iterator[Up]:
    """Run `cloudfilm up` until the block ends; whatever is left of it is killed. `more`: variables beside those of `environment`."""
    home.mkdir(parents=True, exist_ok=True)
    own, said = environment(home) | dict(more or {}), home / "said"
    with said.open("wb") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "cloudfilm", "up"], env=own, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
        )
    running = Up(process, own, said)
    try:
        until(running.answers, running)
        yield running
    finally:
        left = descendants(process.pid)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def until(true: Callable[[], object], running: Up) -> None:
    """Wait for a condition; fails with what the installation said."""
    end = time.monotonic() + WAIT_S_MAX
    while not true():
        assert time.monotonic() < end, f"it did not come about; the installation said:\n{running.said.read_text()[-3000:]}"
        time.sleep(0.1)


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, children first."""
    found = _children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and waits to be noticed does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
