"""A phone: Chromium with its processor four times slower, cold, behind a slow link; what it saw, by the page's own marks.

The browser's throttle does not reach workers: there, each decoded frame is held back until four times its decoding has passed.
"""

import re
import shutil
import time
import urllib.request
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Worker

CPU_TIMES_SLOWER = 4
FIRST_ASKED_S = 2.5
S_MAX = 120_000  # milliseconds of any one wait

# Runs in the worker before its first answer; an answer with pixels comes with a list of what is moved.
SLOW_WORKER = """() => {
  const times = %d;
  let whole = 0;
  const read = ReadableStreamDefaultReader.prototype.read;
  ReadableStreamDefaultReader.prototype.read = async function () {
    const piece = await read.call(this);
    if (piece.done) whole = performance.now();
    return piece;
  };
  const post = self.postMessage.bind(self);
  self.postMessage = (value, moved) => {
    if (moved) for (const end = performance.now() + (times - 1) * (performance.now() - whole); performance.now() < end;);
    return post(value, moved);
  };
}"""

# SHA-256 of a frame's cells as they lay in the file: samples + bias, little endian, as wide as they were.
HASH_OF_EXACT = """async ([i, wide]) => {
  const { samples, bias } = await window.film.exact(i);
  const cells = wide ? new Uint16Array(samples.length) : new Uint8Array(samples.length);
  for (let k = 0; k < samples.length; k++) cells[k] = samples[k] + bias;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', cells));
  return [...hash].map((b) => b.toString(16).padStart(2, '0')).join('');
}"""

MARKS = "() => Object.fromEntries(performance.getEntriesByType('mark').map((m) => [m.name, m.startTime]))"

Marks = dict[str, float]  # seconds since the navigation began: a POST and its redirect are part of it


class Phone:
    """Opens pages as a phone does; `cookies` (a storage state) is what a person who has answered carries."""

    def __init__(self, browser: Browser, cookies: Any = None) -> None:
        self._browser, self.cookies = browser, cookies
        self.unanswered = 0  # navigations whose connection was closed without one byte; tried again, and told as a figure

    def _context(self) -> BrowserContext:
        return self._browser.new_context(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True,
            locale="zh-CN", storage_state=self.cookies,
        )  # fmt: skip

    def load(self, url: str, until: str, quiet_s: float = FIRST_ASKED_S) -> Marks:
        """Open `url` cold, wait for the mark `until`; the page is left alone for `quiet_s` seconds first."""
        context = self._context()
        try:
            page = context.new_page()
            _slow(context, page)
            self._go(page, url)
            if until in ("exact", "all"):
                worker: Worker = page.workers[0] if page.workers else page.wait_for_event("worker", timeout=S_MAX)
                worker.evaluate(SLOW_WORKER % CPU_TIMES_SLOWER)
            return _wait(page, until, quiet_s)
        finally:
            context.close()

    def _go(self, page: Page, url: str) -> None:
        try:
            page.goto(url, wait_until="commit", timeout=S_MAX)
        except Error as error:
            if "ERR_EMPTY_RESPONSE" not in str(error):
                raise
            self.unanswered += 1
            page.goto(url, wait_until="commit", timeout=S_MAX)

    def answer(self, url: str, answer: str) -> tuple[Marks, str]:
        """Open a link's door, give the answer, wait for the picture. Returns marks and the film's address; keeps the cookies."""
        self.cookies = None
        context = self._context()
        try:
            page = context.new_page()
            _slow(context, page)
            page.goto(url, wait_until="networkidle", timeout=S_MAX)
            page.fill("input[name=answer]", answer)
            page.click("form button", no_wait_after=True)
            page.wait_for_url("**/f/**", wait_until="commit", timeout=S_MAX)
            marks = _wait(page, "windowable")
            self.cookies = context.storage_state()
            return marks, page.url
        finally:
            context.close()

    def exact_hashes(self, url: str, frames: list[int]) -> tuple[list[str], list[list[Any]], dict[str, Any]]:
        """SHA-256 of these frames through the page's own decoder; the index's frame rows; the head of the stack."""
        context = self._context()
        try:
            page = context.new_page()
            page.goto(url, timeout=S_MAX)
            page.wait_for_function("() => window.film", timeout=S_MAX)
            answer = page.evaluate("async () => (await fetch(window.filmStart.head.index)).json()")
            wide = not answer["head"].get("cell", "<i2").endswith("1")
            return [page.evaluate(HASH_OF_EXACT, [frame, wide]) for frame in frames], answer["frames"], answer["head"]
        finally:
            context.close()

    def fetch(self, url: str) -> bytes:
        """A body as sent, gzip when the server can."""
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in self.cookies["cookies"])
        request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", "Cookie": cookies, "Accept-Language": "zh-CN"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())


def scripts_of(url: str, html: str) -> list[str]:
    """Addresses of the viewer's scripts that a page names (the worker by a data attribute or in the words)."""
    return sorted({urljoin(url, found) for found in re.findall(r"[\"'](/[^\"']*?\.js[^\"']*)[\"']", html)})


def _slow(context: BrowserContext, page: Page) -> None:
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": CPU_TIMES_SLOWER})


def _wait(page: Page, mark: str, quiet_s: float = FIRST_ASKED_S) -> Marks:
    # Asking is work for the slowed page (the driver's own script is larger than the viewer): not before the first picture is there,
    # and then twice a second only. The marks themselves are exact.
    time.sleep(quiet_s)
    page.wait_for_function("name => performance.getEntriesByName(name).length", arg=mark, timeout=S_MAX, polling=500)
    return {name: at / 1000 for name, at in page.evaluate(MARKS).items()}


def chromium(playwright: Playwright) -> Browser:
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("bench: Chromium is not installed (apt-get install chromium)")
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
