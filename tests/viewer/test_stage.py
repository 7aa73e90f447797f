"""Hands on the stage: a real Chromium, real touch events, the real bundle."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from .page import Film
from .stage import PHONE, Stage, drawn, head_of, line


def first(film: Film) -> str:
    return str(film.stacks[0].id)


@pytest.fixture
def phone(browser: Any) -> Iterator[Stage]:
    context = browser.new_context(**PHONE)
    yield Stage(context.new_page())
    context.close()


@pytest.fixture
def desk(browser: Any) -> Iterator[Stage]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield Stage(context.new_page())
    context.close()


@pytest.fixture
def opened(phone: Stage, film: Film, address: str) -> Stage:
    phone.open(f"{address}#v/{first(film)}/21")
    phone.until("s.tier === 'exact'")
    return phone


def test_without_script_the_key_picture_is_seen_and_opens_full_screen(browser: Any, film: Film, address: str) -> None:
    context = browser.new_context(**PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    key = page.locator("#key")
    assert key.is_visible()
    assert key.bounding_box()["width"] > 300
    assert "仅供查阅，不作为诊断依据" in page.locator("#viewer").inner_text()
    page.goto(f"{address}#v/{first(film)}")
    box = page.locator("#stage").bounding_box()
    assert (box["width"], box["x"]) == (390, 0)
    assert box["height"] > 700
    assert page.locator("#key").is_visible()
    context.close()


def test_the_first_picture_can_be_windowed_before_the_module_comes(phone: Stage, film: Film, address: str) -> None:
    phone.page.route("**/dist/viewer.js", lambda route: route.abort())
    phone.page.goto(address)
    phone._wait("performance.getEntriesByName('windowable').length === 1")
    assert phone.page.evaluate("performance.getEntriesByName('key-drawn').length") == 1
    assert phone.canvas().shape == (64, 64)


def test_a_touch_on_the_card_scrolls_the_page(phone: Stage, film: Film, address: str) -> None:
    phone.open(address)
    phone.until("s.tier === 'exact'")
    x, y = phone.middle()
    before = phone.state()
    phone.fingers(line((x, y), (x, y - 200)))
    phone._wait("window.scrollY > 100")
    assert phone.state()["index"] == before["index"]
    assert not phone.page.evaluate("document.documentElement.classList.contains('viewing')")


def test_a_tap_on_the_card_opens_it_and_back_closes_it(phone: Stage, film: Film, address: str) -> None:
    phone.open(address)
    phone.until("s.tier === 'exact'")
    x, y = phone.middle()
    phone.page.touchscreen.tap(x, y - 60)
    phone._wait("document.documentElement.classList.contains('viewing')")
    assert phone.page.locator(".tools").is_visible()
    phone.page.go_back()
    phone._wait("!document.documentElement.classList.contains('viewing')")
    assert not phone.page.locator(".tools").is_visible()


def test_one_finger_turns_the_slices(opened: Stage) -> None:
    x, y = opened.middle()
    opened.fingers(line((x, y), (x, y + 120)))
    opened.until("s.index > 21")
    opened.until("s.tier === 'exact'")
    number = opened.page.locator("#slice-now").inner_text()
    assert number == str(opened.state()["index"] + 1)


def test_two_fingers_zoom_and_a_double_tap_resets(opened: Stage) -> None:
    x, y = opened.middle()
    opened.fingers(line((x - 30, y), (x - 110, y)), line((x + 30, y), (x + 110, y)))
    opened.until("s.zoom > 2")
    assert opened.state()["index"] == 20
    wide = opened.page.locator("#canvas").bounding_box()["width"]
    assert wide > 800
    for _ in range(2):
        opened.touch("touchStart", (x, y))
        opened.touch("touchEnd")
    opened.until("s.zoom === 1")


def test_a_dragged_window_and_a_preset_are_drawn(opened: Stage, film: Film) -> None:
    opened.page.locator("[data-tool=window]").tap()
    x, y = opened.middle()
    opened.fingers(line((x, y), (x + 60, y - 40)))
    opened.until("s.window[0] !== 40 && s.window[1] > 400")
    opened.page.locator(".tool[data-sheet=presets]").click()
    opened.page.get_by_role("radio", name="骨窗").click()
    opened.until("s.window[0] === 450 && s.window[1] === 1500")
    expected = drawn(film, 0, 20, [450, 1500, "LINEAR"])
    opened._wait(f"document.querySelector('#canvas').getContext('2d').getImageData(5, 5, 1, 1).data[0] === {expected[5, 5] & 255}")
    assert (opened.canvas() == expected).all()
    assert "窗宽 1500 窗位 450" in opened.page.locator("#window").inner_text()


def test_the_windows_of_the_file_come_first_with_their_names(opened: Stage) -> None:
    opened.page.locator(".tool[data-sheet=presets]").click()
    names = opened.page.locator("#presets .ps").all_inner_texts()
    assert names[0].startswith("软组织")
    assert names[1].startswith("肺窗")


def test_the_report_opens_beside_the_picture_and_never_covers_it(opened: Stage) -> None:
    assert "诊断意见 2 条" in opened.page.locator(".peek").inner_text()
    opened.page.locator(".peek").tap()
    sheet = opened.page.locator("#sheet-report")
    assert "右肺上叶实性小结节" in sheet.inner_text()
    stage = opened.page.locator("#stage").bounding_box()
    assert stage["height"] > 200
    assert stage["y"] + stage["height"] <= sheet.bounding_box()["y"] + 1
    opened.page.keyboard.press("Escape")
    assert not sheet.is_visible()


def test_another_series_opens_and_colour_has_no_window(opened: Stage, film: Film) -> None:
    opened.page.locator(".ser").nth(3).tap()
    opened.until(f"s.stack === '{head_of(film, 3)['id']}' && s.tier === 'exact'")
    assert opened.page.locator(".tool[data-sheet=presets]").is_disabled()
    assert (opened.canvas() == drawn(film, 3, opened.state()["index"])).all()
    assert opened.page.locator(".ser").nth(3).get_attribute("aria-pressed") == "true"


def test_an_address_brings_back_slice_and_window(phone: Stage, film: Film, address: str) -> None:
    phone.open(f"{address}#v/{first(film)}/8/-600,1500")
    phone.until("s.index === 7 && s.window[0] === -600 && s.window[1] === 1500")
    phone.page.evaluate("window.film.show(30)")
    phone._wait(f"location.hash === '#v/{first(film)}/31/-600,1500'")
    phone.page.reload()
    phone._wait("Boolean(window.film)")
    phone.until("s.index === 30 && s.window[0] === -600 && s.tier === 'exact'")


def test_mouse_and_keys(desk: Stage, film: Film, address: str) -> None:
    desk.open(f"{address}#v/{first(film)}/21")
    desk.until("s.tier === 'exact'")
    x, y = desk.middle()
    desk.page.mouse.move(x, y)
    desk.page.mouse.wheel(0, 100)
    desk.until("s.index === 21")
    desk.page.keyboard.press("PageDown")
    desk.until("s.index === 31")
    desk.page.keyboard.press("ArrowUp")
    desk.until("s.index === 30")
    desk.page.mouse.down(button="right")
    desk.page.mouse.move(x + 50, y, steps=4)
    desk.page.mouse.up(button="right")
    desk.until("s.window[1] > 400 && s.index === 30")
    desk.page.keyboard.press("+")
    desk.until("s.zoom > 1")
    desk.page.keyboard.press("r")
    desk.until("s.zoom === 1 && s.window[1] === 400")
    assert desk.page.locator("#sheet-report").is_visible()
    assert desk.page.locator("#stage").bounding_box()["width"] > 800
    desk.page.keyboard.press("]")
    desk.until(f"s.stack === '{head_of(film, 1)['id']}'")
    desk.page.keyboard.press("Escape")
    desk._wait("!document.documentElement.classList.contains('viewing')")


def test_when_every_16th_is_there_the_stream_waits_for_the_exact_frame(phone: Stage, film: Film, address: str) -> None:
    film.gate = threading.Event()
    try:
        phone.open(address)
        phone.until("s.tier === 'exact'")  # though the first stream never ended
        phone.until("s.got === 40")
    finally:
        film.gate.set()
    asked = [(path.rpartition("/")[2], found) for path, found in film.asked if path.endswith(("preview", "exact"))]
    assert [name for name, _ in asked[:3]] == ["preview", "exact", "preview"]
    assert asked[0][1] == ""
    assert asked[2][1].startswith("bytes=")
    assert asked[2][1] != "bytes=0-"
    order = phone.page.evaluate(
        "['key-drawn', 'windowable', 'every16', 'exact', 'all'].map((n) => performance.getEntriesByName(n)[0].startTime)"
    )
    assert order[0] <= order[1] <= order[2] <= order[3]
    assert order[2] <= order[4]


def test_a_lost_line_is_said_and_what_was_seen_still_works(phone: Stage, film: Film, address: str) -> None:
    film.refuse = lambda path: path.endswith(("exact", "index"))
    phone.open(f"{address}#v/{first(film)}/21")
    phone.until("s.got === 40")
    phone._wait("document.querySelector('#badge-text').textContent === '网络断开'")
    phone.page.evaluate("window.film.show(5)")
    phone.until("s.index === 5 && s.tier === 'preview'")
    film.refuse = lambda path: False
    phone.page.evaluate("window.dispatchEvent(new Event('online'))")
    phone.until("s.tier === 'exact'")
    assert phone.page.locator("#badge-text").inner_text() == "原始像素"


def test_a_hidden_page_keeps_no_cells_and_comes_back_exact(opened: Stage) -> None:
    hide = """(hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    opened.page.evaluate(hide, True)
    opened.page.evaluate(hide, False)
    opened.until("s.tier === 'exact'")


def test_the_page_asks_only_its_own_server_and_breaks_no_policy(opened: Stage, address: str) -> None:
    opened.page.locator(".peek").tap()
    assert opened.errors == []
    elsewhere = [url for url in opened.asked_elsewhere if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == []


def test_every_control_has_a_name_and_a_finger_wide_target(opened: Stage) -> None:
    small = opened.page.evaluate("""() => [...document.querySelectorAll('#viewer button, #viewer a, #viewer input')]
        .filter((e) => e.offsetParent && (e.offsetWidth < 44 || e.offsetHeight < 44)).map((e) => e.outerHTML.slice(0, 80))""")
    assert small == []
    assert (
        opened.page.evaluate("""() => [...document.querySelectorAll('#viewer button, #viewer a, #viewer input')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim())).map((e) => e.outerHTML.slice(0, 80))""")
        == []
    )
    assert opened.page.locator("#rail").get_attribute("aria-valuetext") == "第 21 层，共 40 层"
    assert opened.page.get_by_role("group", name="影像，用方向键翻层").count() == 1
    assert not opened.page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_in_english_no_word_of_ours_is_chinese(phone: Stage, film: Film, address: str) -> None:
    phone.open(f"{address}?lang=en#v/{first(film)}/21")
    phone.until("s.tier === 'exact'")
    phone.page.locator(".peek").click()
    words = phone.page.evaluate("""() => {
      const copy = document.querySelector('#viewer').cloneNode(true);
      for (const e of copy.querySelectorAll('[lang=zh-CN], #report-body, .nm, #stack-title, script, style, .ps')) e.remove();
      const labels = ['aria-label', 'aria-valuetext'].flatMap((n) => [...copy.querySelectorAll(`[${n}]`)].map((e) => e.getAttribute(n)));
      return copy.textContent + labels.join(' ');
    }""")
    assert not [c for c in words if "\u4e00" <= c <= "\u9fff"], words
    assert "Exact pixels" in words
