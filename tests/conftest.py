"""What every room's tests share. The product's tests pass without ../shared and use it when it is there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.servers import fault_proxy, postgresql_server, postgresql_url, s3_server, s3_url

__all__ = ["fault_proxy", "postgresql_server", "postgresql_url", "s3_server", "s3_url", "shared_data"]

ROOT = Path(__file__).resolve().parent.parent


def _shared() -> Path | None:
    beside = ROOT.parent / "shared"
    return beside if (beside / "data" / "INDEX.tsv").exists() else None


SHARED = _shared()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """../shared/data: real DICOM of many kinds. Absent on a plain clone: said in one line, and the test is left out."""
    if SHARED is None:
        pytest.skip("NOT RUN: ../shared/data is not beside this clone; its real DICOM files are test data only and cannot ship here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def program() -> str:
    """The Chromium of this machine."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("NOT RUN: Chromium is not installed, so no page was opened in a browser (apt-get install chromium)")
    return found


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """One driver a test process: Playwright refuses a second one beside it."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(driver: Playwright, program: str) -> Iterator[Browser]:
    """One browser a test process; each test opens its own context."""
    browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
    yield browser
    browser.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was left out for want of a server, a browser or data is said once each, at the end, where it is seen."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)}
    for reason in sorted(reasons):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True, bold=True)
