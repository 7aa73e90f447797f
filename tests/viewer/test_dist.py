"""static/dist is what the sources make: a reviewer reads static/viewer and the phone runs the same."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "static/dist"
REMEDY = "NOT RUN: esbuild is not there, so static/dist was not compared with its sources; run `npm ci` in the repository, then this test"


def _bundler() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip(REMEDY)
    if not (ROOT / "node_modules/esbuild").is_dir():
        try:
            done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=ROOT, capture_output=True, timeout=120)
        except subprocess.TimeoutExpired:
            pytest.skip(REMEDY)
        if done.returncode:
            pytest.skip(REMEDY)
    return node


def test_a_build_of_the_sources_gives_the_committed_bytes(tmp_path: Path) -> None:
    subprocess.run([_bundler(), "tools/bundle.mjs", str(tmp_path)], cwd=ROOT, check=True, capture_output=True, timeout=60)
    made = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    kept = {p.name: p.read_bytes() for p in DIST.iterdir()}
    assert made.keys() == kept.keys()
    for name in made:
        assert made[name] == kept[name], f"static/dist/{name} is not what static/viewer makes: run `npm run build` and commit it"


def test_all_script_of_the_viewer_fits_in_30_kb_compressed() -> None:
    files = sum(len(gzip.compress(p.read_bytes(), 9)) for p in DIST.iterdir())
    partial = (ROOT / "templates/patient/_viewer.html").read_text()
    inline = "".join(re.findall(r"<script(?![^>]*json)[^>]*>(.*?)</script>", partial, re.S))
    assert inline.strip()
    assert files + len(gzip.compress(inline.encode(), 9)) <= 30_000


def test_the_viewer_asks_nobody_else_and_writes_no_inline_style() -> None:
    for path in [*DIST.iterdir(), ROOT / "templates/patient/_viewer.html"]:
        text = path.read_text()
        assert not re.findall(r"https?://(?!www\.w3\.org/)", text), path
        assert not re.findall(r"\sstyle=", text), path
        assert not re.findall(r"\b(eval|Function)\(", text), path


def test_no_words_for_the_reader_stand_in_the_scripts() -> None:
    """They come from the page in its language (`_()`)."""
    for path in (ROOT / "static/viewer").rglob("*.js"):
        assert not re.findall(r"[\u4e00-\u9fff]", path.read_text()), path
