"""The site as it runs: real gunicorn, real sockets. What it logs, what it weighs, what it answers to what is no HTTP."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cloudfilm.web import ROOT
from cloudfilm.web.headers import ALWAYS

from .cast import Link, Site


@dataclass
class Running:
    """A site in a process of its own."""

    site: Site
    link: Link
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        return self.log.read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import time

    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the site did not start:\n{log.read_text()}")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    port = _free_port()
    environment = {"CLOUDFILM_URL": f"http://127.0.0.1:{port}", "CLOUDFILM_PORT": str(port), "CLOUDFILM_WEB_WORKERS": "1"}
    site = Site(tmp_path, **environment)
    site.order()
    site.study()
    site.report()
    link = site.link()
    log = tmp_path / "web.log"
    environment |= {"CLOUDFILM_HOME": str(tmp_path), "CLOUDFILM_HOSPITAL": "h", "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "cloudfilm", "web"], env=environment, stderr=out, stdout=out, cwd=tmp_path)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process, log)
        yield Running(site, link, port, log, process)
    finally:
        process.terminate()
        process.wait(20)
        site.database.close()


def _worker(running: Running) -> int:
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    return int(children[0])


def _memory_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _walk(running: Running) -> None:
    """A patient's visit by plain HTTP."""
    connection = HTTPConnection("127.0.0.1", running.port)
    connection.request("GET", running.link.path)
    answer = connection.getresponse()
    page = answer.read().decode()
    cookie = str(answer.getheader("Set-Cookie")).split(";")[0]
    token = page.split('name="csrf" value="')[1].split('"')[0]
    for given in ("4321", running.link.answer):
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", running.link.path, f"csrf={token}&answer={given}", headers)
        answer = connection.getresponse()
        answer.read()
    assert answer.status == 303
    cookies = "; ".join(value.split(";")[0] for name, value in answer.getheaders() if name == "Set-Cookie")
    connection.request("GET", running.link.film, headers={"Cookie": cookies})
    answer = connection.getresponse()
    assert answer.status == 200
    assert "小结节" in answer.read().decode()
    connection.close()


def test_no_log_line_holds_a_token_an_answer_a_name_or_an_id_of_a_person(running: Running) -> None:
    _walk(running)
    broken = running.site.settings.home / "archive" / "objects"
    for path in broken.rglob("*.preview"):
        path.unlink()
    for text in (b"GET /v/SECRETTOKEN oops\r\n\r\n", b"\x16\x03\x01junk" * 9 + b"\r\n\r\n", b"GET / HTTP/1.1\r\nX SECRETHEADER\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", running.port)) as raw:
            raw.sendall(text)
            raw.recv(4096)
    running.process.terminate()
    running.process.wait(20)
    said = running.said()
    lines = [json.loads(line) for line in said.splitlines()]
    assert {line.get("route") for line in lines} >= {"/v/<text>", "/f/<grant>"}
    for secret in (
        running.link.text, running.link.grant_id, "4321", "0107", "陈志远", "CT1", "PMZ1", "MZ1", "SECRET", "小结节", "498.",
    ):  # fmt: skip
        assert secret not in said, secret


def test_what_is_no_http_is_refused_with_our_headers_and_without_echo(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as raw:
        raw.sendall(b"GET /<script>alert(1)</script> nonsense\r\n\r\n")
        answer = raw.recv(8192).decode()
    assert answer.startswith("HTTP/1.1 400")
    assert "script>" not in answer
    for name, value in ALWAYS.items():
        assert f"{name}: {value}\r\n" in answer


def test_a_visitor_who_falls_silent_does_not_keep_a_thread(running: Running) -> None:
    """More silent visitors than threads: their connections end by themselves, and a patient is served."""
    from cloudfilm.web.server import THREADS

    silent = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(THREADS + 2)]
    for raw in silent:
        raw.sendall(b"GET / HTTP/1.1\r\nX-Half: ")
    for raw in silent[:THREADS]:
        raw.settimeout(60)
        assert b"200 OK" not in raw.recv(4096)
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/healthz", timeout=60) as answer:
        assert answer.status == 200
    for raw in silent:
        raw.close()


def test_a_worker_needs_no_pixels_and_stays_small(running: Running) -> None:
    _walk(running)
    worker = _worker(running)
    maps = Path(f"/proc/{worker}/maps").read_text()
    for library in ("numpy", "pydicom", "PIL", "gdcm"):
        assert f"/{library}" not in maps
    assert _memory_mb(worker) <= 150


def test_importing_the_site_loads_no_pixel_library_and_does_no_work() -> None:
    code = (
        "import sys, os; os.environ.clear(); import cloudfilm.web; import cloudfilm.web.film, cloudfilm.web.server;"
        "print([m for m in ('numpy', 'pydicom', 'PIL', 'boto3', 'babel', 'weasyprint') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
