"""A scanner that sends (DCMTK's storescu), and the floors beside it: DCMTK's own storescp, and a file copy with fsync."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from .site import free_ports, program, wait_for_port

# Debian's DCMTK leaves Nagle's algorithm on, which costs it five sixths of its rate.
NODELAY = {**os.environ, "TCP_NODELAY": "1"}


def storescu(folder: Path, port: int, aet: str) -> float:
    """Send all files of a folder over one association; seconds until the last was acknowledged. Raises SystemExit when one was not."""
    words = ["storescu", "-aec", aet, "-to", "60", "+sd", "127.0.0.1", str(port), str(folder)]
    started = time.perf_counter()
    done = subprocess.run(words, env=NODELAY, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"bench: storescu says: {done.stderr.strip()[-300:]}")
    return seconds


def storescp_floor(folder: Path, work: Path) -> float:
    """The same files to DCMTK's storescp, which does not wait for the disk; seconds."""
    [port] = free_ports(1)
    work.mkdir(parents=True)
    with program("storescp", "-od", str(work), "+xa", str(port), environment=NODELAY) as process:
        wait_for_port(port, process)
        seconds = storescu(folder, port, "ANY-SCP")
    if len(list(work.iterdir())) != len(list(folder.iterdir())):
        raise SystemExit("bench: storescp did not keep what it was sent")
    return seconds


def copy_floor(files: Sequence[Path], work: Path) -> float:
    """Copy the files, each flushed to the disk with its folder; seconds."""
    work.mkdir(parents=True)
    folder = os.open(work, os.O_RDONLY)
    started = time.perf_counter()
    for path in files:
        with path.open("rb") as given, (work / path.name).open("wb") as out:
            shutil.copyfileobj(given, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        os.fsync(folder)
    seconds = time.perf_counter() - started
    os.close(folder)
    return seconds
