"""`cloudfilm up`: gateway, registrar and site of one machine under one parent."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from .site import Refused, Site

CHILDREN = ("gateway", "registrar", "web")
LOOK_S = 0.2
STOP_S_MAX = 8.0  # then the child and whatever it started are killed
PAUSE_S, PAUSE_LONGEST_S = 0.5, 30.0
STEADY_S = 60.0  # a child that lived so long starts again without a pause
LOG_BYTES_MAX = 20_000_000  # then NAME.log becomes NAME.log.1


@click.command()
@click.option("--quiet", is_flag=True, help="Write to the log files only, not to the terminal as well.")
def up(quiet: bool) -> None:
    """Run gateway, registrar and site until stopped; one that ends is started again. Logs: $CLOUDFILM_HOME/logs/."""
    site = Site()
    site.keys  # noqa: B018  made, or found wrong, once and here, not by three children at a time
    logs = site.settings.home / "logs"
    logs.mkdir(exist_ok=True, mode=0o700)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, lambda *_: stop.set())
    with _only_one(site.settings.home):
        children = [Child(name, logs / f"{name}.log", None if quiet else sys.stderr) for name in CHILDREN]
        try:
            for child in children:
                child.start()
            while not stop.wait(LOOK_S):
                for child in children:
                    child.look()
        finally:
            for child in children:
                child.ask_to_stop()
            for child in children:
                child.finish()


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the home's lock: two parents on one spool would publish everything twice. The kernel frees it however we end."""
    with (home / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Refused(f"`cloudfilm up` already runs on {home} (process {lock.read().strip() or 'unknown'}); stop it first.") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


class Child:
    """One process of ours, with its log; started again when it ends, after a pause that grows while it keeps ending."""

    def __init__(self, name: str, log: Path, terminal: IO[str] | None) -> None:
        self.name, self._log, self._terminal = name, log, terminal
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._pause_s = PAUSE_S
        self._started = self._again_at = 0.0

    def start(self) -> None:
        """Must be called in the parent's main thread: the kernel ties the child's life to the thread that started it."""
        command = [sys.executable, "-m", "cloudfilm.cli.child", str(os.getpid()), self.name]
        # A session of its own: Ctrl-C reaches only the parent, and what the child started can be killed with it.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        self._started = time.monotonic()
        self._reader = threading.Thread(target=self._copy, args=(self._process.stdout,), name=f"log of {self.name}", daemon=True)
        self._reader.start()

    def look(self) -> None:
        """Start it again when it has ended and its pause is over."""
        now = time.monotonic()
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._kill_rest(self._process)
            self._process = None
            if now - self._started >= STEADY_S:
                self._pause_s = PAUSE_S
            self._again_at = now + self._pause_s
            print(
                f"cloudfilm: {self.name} ended ({_ending(code)}), starts again in {self._pause_s:g} s; its log: {self._log}",
                file=sys.stderr,
                flush=True,
            )
            self._pause_s = min(2 * self._pause_s, PAUSE_LONGEST_S)
        elif now >= self._again_at:
            self.start()

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def finish(self) -> None:
        """Wait for its end; kill it when it does not come."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S_MAX)
        self._kill_rest(self._process)
        self._process.wait()
        if self._reader is not None:
            self._reader.join(1.0)

    @staticmethod
    def _kill_rest(process: subprocess.Popen[bytes]) -> None:
        """End whatever is left of the child's session: its encoders, its workers, itself."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def _copy(self, lines: IO[bytes]) -> None:
        """Carry the child's lines to its log and, with its name before them, to the terminal."""
        log = self._log.open("ab")
        with lines:
            for line in lines:
                if log.tell() > LOG_BYTES_MAX:
                    log.close()
                    self._log.replace(self._log.with_suffix(".log.1"))
                    log = self._log.open("ab")
                log.write(line)
                log.flush()
                if self._terminal is not None:
                    with contextlib.suppress(OSError, ValueError):
                        self._terminal.write(f"{self.name:>9} | {line.decode(errors='replace').rstrip()}\n")
                        self._terminal.flush()
        log.close()


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
