"""`make demo` for real: everything starts, a study comes in by its entrances, and what demo.json says opens it."""

import http.cookiejar
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cloudfilm import clock
from cloudfilm.records import staff
from cloudfilm.records.database import open_database
from tests.installation import ROOT, Up, alive, descendants, environment, until, up


def _demo(own: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tools.demo", "--once", "--phantom", *more]
    return subprocess.run(words, env=own, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=170)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "var"


@pytest.fixture(scope="module")
def first(home: Path) -> tuple[dict[str, Any], str]:
    """What the first start wrote to demo.json, and what it printed."""
    own = environment(home) | {"CLOUDFILM_QUIET_SECONDS": "2"}
    done = _demo(own)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((home / "demo.json").read_text(encoding="utf-8")), done.stdout


@pytest.mark.timeout(300)
def test_it_says_all_that_a_person_needs_on_the_terminal_and_in_a_file_of_its_owner(home: Path, first: tuple[dict[str, Any], str]) -> None:
    told, said = first
    assert stat.S_IMODE((home / "demo.json").stat().st_mode) == 0o600
    assert set(told) == {"patient", "desk", "finance", "dicom"}
    assert set(told["patient"]) == {"url", "challenge", "answer", "name"}
    assert set(told["desk"]) == set(told["finance"]) == {"url", "user", "password"}
    assert set(told["dicom"]) == {"aet", "host", "port"}
    assert (told["patient"]["challenge"], told["patient"]["answer"], told["patient"]["name"]) == ("phone4", "0526", "沈若兰")
    for value in (told["patient"]["url"], told["desk"]["password"], told["finance"]["password"], told["dicom"]["aet"]):
        assert value in said
    assert "▄" in said  # the QR
    assert "84 images received, published and registered" in said


@pytest.mark.timeout(300)
def test_the_logins_work_and_are_random(home: Path, first: tuple[dict[str, Any], str]) -> None:
    told, _ = first
    assert told["desk"]["password"] != told["finance"]["password"]
    records = open_database(f"sqlite:///{home}/records.sqlite")
    with records.write() as c:
        for role in ("desk", "finance"):
            member = staff.log_in(c, "hospital", told[role]["user"], told[role]["password"], clock.now())
            assert member is not None and member.role == role and not member.must_change
    records.close()


@pytest.mark.timeout(300)
def test_a_second_start_sends_nothing_again_and_keeps_link_and_logins(home: Path, first: tuple[dict[str, Any], str]) -> None:
    told, _ = first
    own = environment(home)
    # Ports that nobody chose: those of the last start stand in the printed QR, so they are taken again.
    del own["CLOUDFILM_PORT"], own["CLOUDFILM_DICOM_PORT"]
    done = _demo(own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is sent again" in done.stdout
    assert json.loads((home / "demo.json").read_text(encoding="utf-8")) == told
    assert len(list((home / "archive" / "objects").rglob("studies/*/*.json"))) == 1


@pytest.mark.timeout(300)
def test_the_patients_link_and_answer_open_the_film_with_its_picture_and_report(home: Path, first: tuple[dict[str, Any], str]) -> None:
    told, _ = first
    address = urllib.parse.urlsplit(told["patient"]["url"])
    with up(home) as running:
        # The page's own links name the port of the first start; here the site has a port of its own.
        url = f"{running.url}{address.path}"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        door = browser.open(url, timeout=20).read().decode()
        assert "沈若兰" not in door
        token = re.search(r'name="csrf" value="([^"]+)"', door)
        assert token is not None
        form = urllib.parse.urlencode({"csrf": token[1], "answer": told["patient"]["answer"]}).encode()
        film = browser.open(urllib.request.Request(url, form, {"Origin": running.url}), timeout=20)
        page = film.read().decode()
    assert "/f/" in film.geturl()
    assert "data:image/webp;base64," in page
    assert "右肺上叶实性小结节" in page


@pytest.mark.timeout(300)
def test_ctrl_c_stops_all_of_it(home: Path, first: tuple[dict[str, Any], str], tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo", "--phantom"], env=environment(home), cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=terminal, stderr=terminal, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: "Ctrl-C stops everything" in said.read_text(), Up(process, {}, said))
        everything = descendants(process.pid)
        assert len(everything) >= 5
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        assert process.wait(30) == 0
        assert not any(alive(pid) for pid in everything)
    finally:
        process.kill()
        process.wait()


def test_a_wrong_setting_or_a_taken_port_is_one_sentence(home: Path, first: tuple[dict[str, Any], str], tmp_path: Path) -> None:
    wrong = _demo(environment(tmp_path) | {"CLOUDFILM_PORT": "80800"})
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("demo: CLOUDFILM_PORT is '80800'") and wrong.stderr.count("\n") == 1
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = _demo(environment(home) | {"CLOUDFILM_DICOM_PORT": str(port)})
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"demo: Port {port} is taken") and refused.stderr.count("\n") == 1
