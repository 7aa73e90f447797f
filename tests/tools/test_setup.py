"""Set-up: says the one line to run where it may not install, and knows when there is nothing to do."""

import shutil
from pathlib import Path

import pytest

from tools import setup


def test_without_the_right_to_install_the_line_to_run_is_said_and_the_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # neither apt-get nor sudo
    setup._system_packages({"chromium": (lambda: False, "browsers"), "here": (lambda: True, "x"), "xvfb": (lambda: False, "WebKit")})
    said = capfd.readouterr()
    assert said.out == ""
    assert "  sudo apt-get install -y --no-install-recommends chromium xvfb\n" in said.err
    assert "missing for WebKit, browsers" in said.err and said.err.endswith("going on without.\n")


def test_what_is_there_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    setup._system_packages({"here": (lambda: True, "x")})
    assert capfd.readouterr() == ("", "")


def test_a_changed_lock_or_a_moved_clone_is_set_up_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        for name in (*setup.LOCKS["test"], "setup.cfg", "pyproject.toml"):
            shutil.copy(setup.ROOT / name, folder)
    monkeypatch.setattr(setup, "ROOT", first)
    before = setup._fingerprint("demo"), setup._fingerprint("test")
    assert (setup._fingerprint("demo"), setup._fingerprint("test")) == before
    with (first / "requirements-test.lock").open("a") as lock:
        lock.write("# changed\n")
    assert setup._fingerprint("demo") == before[0] and setup._fingerprint("test") != before[1]
    monkeypatch.setattr(setup, "ROOT", second)
    assert setup._fingerprint("demo") != before[0]
