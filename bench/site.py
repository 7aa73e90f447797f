"""A real `cloudfilm up` in a folder of its own, on free ports, and what its processes weigh."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
QUIET_S = 2.0
START_S_MAX = 60.0


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def program(*words: str, environment: dict[str, str] | None = None, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, with all that it started."""
    with (log or Path(os.devnull)).open("ab") as out:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S_MAX
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"bench: {process.args!r} did not open its port")


@dataclass
class Site:
    """A running installation."""

    home: Path
    port: int  # the site's own
    public_port: int  # of its address, where the phone's link listens
    dicom_port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    def command(self, *words: str) -> list[dict[str, Any]]:
        """Run a `cloudfilm` command; its answer, a JSON object a line."""
        given = [sys.executable, "-m", "cloudfilm.cli.child", str(os.getpid()), *words]
        done = subprocess.run(given, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench: cloudfilm {words[0]} says: {done.stderr.strip()[-500:]}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@contextlib.contextmanager
def running(home: Path) -> Iterator[Site]:
    port, public_port, dicom_port = free_ports(3)
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFILM_")}
    chosen |= {
        "CLOUDFILM_HOME": str(home),
        "CLOUDFILM_PORT": str(port),
        "CLOUDFILM_URL": f"http://127.0.0.1:{public_port}",  # the site sends visitors of any other address there
        "CLOUDFILM_DICOM_PORT": str(dicom_port),
        "CLOUDFILM_QUIET_SECONDS": str(QUIET_S),
    }
    home.mkdir(parents=True)
    words = (sys.executable, "-m", "cloudfilm.cli.child", str(os.getpid()), "up", "--quiet")
    with program(*words, environment=chosen, log=home / "up.log") as process:
        wait_for_port(port, process)
        wait_for_port(dicom_port, process)
        _wait_until_healthy(port)
        yield Site(home, port, public_port, dicom_port, chosen, process)


def _wait_until_healthy(port: int) -> None:
    end = time.monotonic() + START_S_MAX
    while time.monotonic() < end:
        with (
            contextlib.suppress(urllib.error.URLError, OSError, http.client.HTTPException),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise SystemExit("bench: the site does not answer at /healthz")


def children(pid: int) -> list[int]:
    """All living processes below a process."""
    below: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            below.setdefault(int(status.read_text().rpartition(")")[2].split()[1]), []).append(int(status.parent.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        nearest = below.get(todo.pop(), [])
        todo += nearest
        found += nearest
    return found


def highest_mb(pid: int) -> float:
    """The most memory (resident, shared parts included) that a process has had, in MB of 10⁶ bytes."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        if found:
            return int(found[1]) * 1024 / 1e6
    return 0.0


def together_mb(pids: Sequence[int]) -> float:
    """Memory of several processes together in MB, what they share counted once (PSS)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
            total += int(found[1]) if found else 0
    return total * 1024 / 1e6


def child_named(site: Site, name: str) -> int:
    """Process id of the gateway, registrar or web that `up` started."""
    for pid in children(site.process.pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2:-1] == [name.encode()]:
                return pid
    raise SystemExit(f"bench: no process {name} below cloudfilm up")


@dataclass
class Watch:
    """Looks at a process and all below it, several times a second; `peak` in MB."""

    pid: int
    peak: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.3):
            self.peak = max(self.peak, together_mb([self.pid, *children(self.pid)]))
