"""Truth: what the phone computes and draws is what the file holds, bit for bit; what is damaged is never drawn."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .page import Film, serving
from .stage import PHONE, Stage, cells_digest, drawn, frame_file, head_of

SERIES = {"grey with padding": 0, "a slope a slice": 1, "inverted": 2, "colour": 3}


@pytest.fixture
def stage(browser: "object") -> Iterator[Stage]:
    context = browser.new_context(**PHONE)  # type: ignore[attr-defined]
    made = Stage(context.new_page())
    yield made
    context.close()


def at(address: str, film: Film, series: int, index: int) -> str:
    return f"{address}#v/{head_of(film, series)['id']}/{index + 1}"


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES.keys())
def test_exact_frames_are_the_cells_of_the_file(series: int, film: Film, address: str, stage: Stage) -> None:
    stage.open(at(address, film, series, 0))
    stage.until(f"s.stack === '{head_of(film, series)['id']}'")
    count = head_of(film, series)["count"]
    for index in sorted({0, count // 2, count - 1}):
        assert stage.exact_digest(index) == cells_digest(film, series, index)
    assert stage.errors == []


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES.keys())
def test_the_exact_canvas_is_the_servers_picture(series: int, film: Film, address: str, stage: Stage) -> None:
    count = head_of(film, series)["count"]
    stage.open(at(address, film, series, count - 1))
    stage.until(f"s.stack === '{head_of(film, series)['id']}' && s.index === {count - 1} && s.tier === 'exact'")
    assert (stage.canvas() == drawn(film, series, count - 1)).all()


def test_a_dragged_window_is_drawn_from_exact_cells(film: Film, address: str, stage: Stage) -> None:
    stage.open(f"{at(address, film, 0, 7)}/-600,1500")
    stage.until("s.index === 7 && s.tier === 'exact' && s.window[0] === -600")
    assert (stage.canvas() == drawn(film, 0, 7, [-600, 1500, "LINEAR"])).all()


def test_a_damaged_frame_is_never_drawn_and_the_page_says_so(film: Film, address: str, stage: Stage) -> None:
    film.spoil = lambda key, start, data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:] if key.endswith("exact") else data
    stage.open(at(address, film, 0, 20))
    stage.until("s.damaged")
    assert stage.state()["tier"] != "exact"
    asked = [found for path, found in film.asked if path.endswith("exact")]
    assert asked[:2] == [asked[0]] * 2  # it was fetched again, once
    assert not (stage.canvas() == drawn(film, 0, 20)).all()
    assert "打不开" in stage.page.locator("#viewer").inner_text()


def test_a_frame_that_was_damaged_once_on_the_way_is_fetched_again(film: Film, address: str, stage: Stage) -> None:
    once: list[int] = []

    def spoil(key: str, start: int, data: bytes) -> bytes:
        if not key.endswith("exact") or start in once:
            return data
        once.append(start)
        return data[:100] + bytes([data[100] ^ 128]) + data[101:]

    film.spoil = spoil
    stage.open(at(address, film, 0, 20))
    stage.until("s.tier === 'exact'")
    assert (stage.canvas() == drawn(film, 0, 20)).all()


def test_a_preview_frame_that_does_not_decode_is_not_drawn(film: Film, address: str, stage: Stage) -> None:
    film.spoil = lambda key, start, data: b"".join((data[:12000], bytes(200), data[12200:])) if key.endswith("preview") else data
    film.refuse = lambda path: path.endswith(("exact", "index"))
    stage.open(at(address, film, 0, 20))
    stage.until("s.got > 30")
    for index in range(0, 40, 3):
        stage.page.evaluate("(i) => window.film.show(i)", index)
        stage.until(f"s.index === {index}")
    assert [error for error in stage.errors if "503" not in error] == []


def test_the_demo_study_is_drawn_as_dcmtk_draws_it(demo: Film, stage: Stage, tmp_path: Path) -> None:
    if shutil.which("dcmj2pnm") is None:
        pytest.skip("NOT RUN: dcmj2pnm of the Debian package dcmtk is missing: apt-get install dcmtk")
    with serving(demo) as address:
        stage.open(at(address, demo, 0, 3))
        for index in (3, 14, 22):
            stage.page.evaluate("(i) => window.film.show(i)", index)
            stage.until(f"s.index === {index} && s.tier === 'exact'")
            out = tmp_path / "a.pgm"
            file = frame_file(demo, 0, index)[0]
            subprocess.run(["dcmj2pnm", "-q", "+Wi", "1", "--no-overlays", str(file), str(out)], check=True)
            assert (stage.canvas() == np.asarray(Image.open(out)).astype(np.int64) * 0x10101).all()
            assert stage.exact_digest(index) == cells_digest(demo, 0, index)
    assert hashlib.sha256(demo.objects["0/exact"]).hexdigest() == demo.manifest["series"][0]["exact"]["sha256"]
