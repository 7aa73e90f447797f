"""The README's pictures: `make pictures` runs the demo with the drawn chest and photographs its pages into docs/pictures/.

Pictures of nobody: the chest is tools/phantom.py's, all people are invented. A page that is not there yet is left out and said.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from . import place
from .source import ROOT

OUT = ROOT / "docs" / "pictures"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1440, "height": 900}, "device_scale_factor": 1}
STAFF = {"viewport": {"width": 1440, "height": 640}, "device_scale_factor": 1}
WAIT_S_MAX = 240


def main() -> None:
    chromium = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        sys.exit("pictures: no Chromium here (apt-get install chromium)")
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        own = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFILM_")}
        own |= {"CLOUDFILM_HOME": folder, "PYTHONUNBUFFERED": "1"}
        words = [sys.executable, "-m", "tools.demo", "--phantom"]
        demo = subprocess.Popen(
            words, env=own, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                if line.startswith("Ctrl-C"):
                    break
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                _patient(browser, place.last_told(Path(folder)))
                _staff(browser, place.last_told(Path(folder)))
                browser.close()
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(40)


def _open(browser: Browser, kind: dict[str, Any], locale: str = "zh-CN") -> Page:
    return browser.new_context(**kind, locale=locale).new_page()


def _keep(page: Page, name: str) -> None:
    """Keep what the page shows, 256 colours where it is small enough to be read so."""
    path = OUT / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT).save(path, optimize=True)
    print(f"pictures: {path.relative_to(ROOT)} {path.stat().st_size // 1024} KB", flush=True)


def _patient(browser: Browser, told: dict[str, Any]) -> None:
    patient = told["patient"]
    page = _open(browser, PHONE)
    page.goto(patient["url"])
    _keep(page, "door")
    page.fill("input[name=answer]", patient["answer"])
    page.click("form button.main")
    page.wait_for_selector("#key", state="attached")
    _settle(page)
    _keep(page, "film")
    page.evaluate("location.hash = 'v'")
    _settle(page)
    _keep(page, "viewer")
    wide = _open(browser, DESKTOP)
    wide.goto(patient["url"])
    wide.fill("input[name=answer]", patient["answer"])
    wide.click("form button.main")
    wide.wait_for_selector("#key", state="attached")
    _settle(wide)
    _keep(wide, "film-wide")


def _settle(page: Page) -> None:
    """Until the stage shows the exact picture, or has had its time."""
    try:
        page.wait_for_function("performance.getEntriesByName('all').length > 0", timeout=WAIT_S_MAX * 250)
    except Exception as error:  # a picture of what is there says more than none
        print(f"pictures: the stage did not say that it is complete ({type(error).__name__})", file=sys.stderr)
    page.wait_for_timeout(1500)


def _staff(browser: Browser, told: dict[str, Any]) -> None:
    for role in ("desk", "finance"):
        login = told[role]
        page = _open(browser, STAFF)
        answer = page.goto(login["url"])
        if answer is None or answer.status >= 400:
            print(f"pictures: no page for {role} at {re.sub('^https?://[^/]+', '', login['url'])}", file=sys.stderr)
            continue
        fields = page.locator("form input:not([type=hidden])")
        fields.nth(0).fill(login["user"])
        fields.nth(1).fill(login["password"])
        page.locator("main form button").first.click()
        page.wait_for_load_state("networkidle")
        if role == "desk":
            page.locator("table button").first.click()
            page.wait_for_load_state("networkidle")
        _keep(page, role)


if __name__ == "__main__":
    main()
