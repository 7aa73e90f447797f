"""Capped children: hostile pictures, PDFs and texts are read where they can only hurt themselves (SECURITY.md 1, 11).

A child has a limit of memory and of time. One that dies, hangs or breaks a limit is a ChildFailed for its own job, nothing else.
"""

import ctypes
import json
import multiprocessing
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY_BYTES = 3 << 30  # address space; numpy and the codecs map about 1 GB of it without touching it
REPORT_SECONDS = 120
_STOP_LOOK_S = 0.2
_PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):
    """The job cannot be done; the text says why without personal data."""


class Stopped(Exception):
    """The gateway is told to end; the job says nothing about its input and is done after the next start."""


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["cloudfilm.imaging.series", "cloudfilm.imaging.pages", "cloudfilm.imaging.report"])


def run(job: Callable[..., Any], *arguments: Any, seconds: float, stop: threading.Event | None = None) -> Any:
    """What `job(*arguments)` returns (JSON values), from a child; raises ChildFailed, and Stopped once `stop` is set."""
    ours, theirs = _context.Pipe(duplex=False)
    child = _context.Process(target=_child, args=(theirs, job, arguments, int(seconds)), daemon=True)
    child.start()
    theirs.close()
    try:
        end = time.monotonic() + seconds
        while not ours.poll(max(0.0, min(_STOP_LOOK_S, end - time.monotonic()))):
            if stop is not None and stop.is_set():
                raise Stopped
            if time.monotonic() >= end:
                raise ChildFailed(f"it took longer than {seconds:g} seconds")
        ok, value = json.loads(ours.recv_bytes())
    except EOFError as error:
        child.join(5)
        if stop is not None and stop.is_set():
            raise Stopped from error
        raise ChildFailed(f"the decoder broke down (exit {child.exitcode})") from error
    finally:
        ours.close()
        child.kill()
        child.join()
    if not ok:
        raise ChildFailed(value)
    return value


def _child(pipe: Any, job: Callable[..., Any], arguments: tuple[Any, ...], seconds: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; only our parent decides about us
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed gateway leaves no encoder behind
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 5, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = [True, job(*arguments)]
    except Exception as error:  # the child's one net: its parent must learn why, not how
        frame = traceback.extract_tb(error.__traceback__)[-1]
        answer = [False, f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"]
    pipe.send_bytes(json.dumps(answer).encode())
    pipe.close()


def build_series(paths: list[str], out: str, progress: str) -> dict[str, Any]:
    """Job: one series to `out`; writes how many frames are done to the file `progress`. imaging.series.build_series."""
    from cloudfilm.imaging.series import build_series as build

    told = Path(progress)

    def tell(done: int) -> None:
        if done % 10 == 0:
            told.write_text(str(done))

    return build([Path(p) for p in paths], Path(out), tell)


def report_pages(pdf: str, out: str) -> list[dict[str, Any]]:
    """Job: pictures of a PDF's pages as out/<n>.webp, n from 1; [{width, height}]. imaging.pages."""
    from cloudfilm.imaging.pages import pdf_pages

    told = []
    for n, (picture, width, height) in enumerate(pdf_pages(Path(pdf).read_bytes()), start=1):
        (Path(out) / f"{n}.webp").write_bytes(picture)
        told.append({"width": width, "height": height})
    return told


def embedded_report(instance: str, out: str) -> dict[str, Any]:
    """Job: an Encapsulated PDF to out/report.pdf, or the words of a text SR. {"pdf": bool, "text": str}."""
    from cloudfilm.imaging.report import encapsulated_pdf, sr_text

    data = Path(instance).read_bytes()
    pdf = encapsulated_pdf(data)
    if pdf:
        (Path(out) / "report.pdf").write_bytes(pdf)
        return {"pdf": True, "text": ""}
    return {"pdf": False, "text": sr_text(data) or ""}
