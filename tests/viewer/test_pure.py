"""The viewer's pure modules under Node: pytest runs them so that one command proves all."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_modules_pass_their_own_tests_under_node() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT RUN: node is not installed; the viewer's pure modules were not tested (apt-get install nodejs)")
    files = sorted(str(p) for p in (ROOT / "tests/viewer").glob("*.test.mjs"))
    done = subprocess.run([node, "--test", *files], cwd=ROOT, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
