"""`cloudfilm up`: three processes, one life."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from pydicom.data import get_testdata_file

from tests.installation import ROOT, alive, descendants, until, up


def _ingest(running, path: str) -> None:  # type: ignore[no-untyped-def]
    words = [sys.executable, "-m", "cloudfilm", "ingest", path]
    done = subprocess.run(words, env=running.environment, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_all_of_it_starts_publishes_and_stops_at_a_word(tmp_path: Path) -> None:
    with up(tmp_path) as running:
        _ingest(running, str(get_testdata_file("CT_small.dcm")))  # so that encoders run too
        everything = descendants(running.process.pid)
        assert len(everything) >= 5  # gateway and its encoder, registrar, site and its worker
        running.process.terminate()
        assert running.process.wait(20) == 0
        assert [pid for pid in everything if alive(pid)] == []
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["gateway.log", "registrar.log", "web.log"]


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    with up(tmp_path) as running:
        _ingest(running, str(get_testdata_file("CT_small.dcm")))
        everything = descendants(running.process.pid)
        running.process.kill()
        running.process.wait()
        until(lambda: not any(alive(pid) for pid in everything), running)


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    with up(tmp_path) as running:
        before = running.child("web")
        assert before is not None
        os.kill(before, signal.SIGKILL)
        until(lambda: running.child("web") not in (None, before) and running.answers(), running)
        assert "web ended (signal SIGKILL), starts again" in running.said.read_text()


def test_a_home_has_one_parent_only(tmp_path: Path) -> None:
    with up(tmp_path) as running:
        second = subprocess.run(
            [sys.executable, "-m", "cloudfilm", "up"], env=running.environment, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert second.returncode == 1
        assert second.stderr == f"cloudfilm: `cloudfilm up` already runs on {tmp_path} (process {running.process.pid}); stop it first.\n"
        assert running.answers()


def test_a_wrong_setting_is_one_sentence_before_anything_starts(tmp_path: Path) -> None:
    wrong = dict(os.environ) | {"CLOUDFILM_HOME": str(tmp_path), "CLOUDFILM_PORT": "none"}
    done = subprocess.run([sys.executable, "-m", "cloudfilm", "up"], env=wrong, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("cloudfilm: CLOUDFILM_PORT is 'none'") and done.stderr.count("\n") == 1
