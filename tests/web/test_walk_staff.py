"""The desk's and finance's whole way in a real browser, on a real server process: find, print, hand over, revoke; look, export."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from cloudfilm.records.staff import Role
from cloudfilm.web import ROOT

from .cast import Site
from .test_server import _free_port, _wait
from .test_staff import PASSWORD, member

DESK_SCREEN = {"width": 1440, "height": 900}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Site]:
    """A site with one patient's film, served by `cloudfilm web`."""
    port = _free_port()
    environment = {"CLOUDFILM_URL": f"http://127.0.0.1:{port}", "CLOUDFILM_PORT": str(port), "CLOUDFILM_WEB_WORKERS": "1"}
    home = tmp_path / "home"
    home.mkdir()
    site = Site(home, **environment)
    site.order()
    site.study()
    site.report()
    environment |= {"CLOUDFILM_HOME": str(home), "CLOUDFILM_HOSPITAL": "h", "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    log = tmp_path / "web.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "cloudfilm", "web"], env=environment, stderr=out, stdout=out, cwd=tmp_path)
    try:
        _wait(f"{site.settings.url}/healthz", process, log)
        yield site
    finally:
        process.terminate()
        process.wait(20)
        site.database.close()


def log_in(browser: Chromium, site: Site, role: Role) -> Page:
    user = member(site, role)
    page = browser.new_context(viewport=DESK_SCREEN, locale="zh-CN", accept_downloads=True).new_page()  # type: ignore[arg-type]
    page.goto(f"{site.settings.url}/staff/")
    page.get_by_label("工号").fill(user)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("button", name="登录")).to_have_count(0)
    page.wait_for_load_state("load")  # the page's script, which the keyboard shortcut needs, has run
    return page


def test_the_desk_prints_a_slip_that_opens_and_takes_it_back(running: Site, chromium: Chromium) -> None:
    page = log_in(chromium, running, Role.DESK)
    page.keyboard.press("/")
    page.keyboard.type("陈志远")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("找到 1 条")
    page.get_by_role("button", name="发凭条").click()
    page.get_by_role("button", name="发放", exact=True).click()
    expect(page.get_by_text("已发放")).to_be_visible()
    slip = page.get_by_role("link", name="打印").get_attribute("href") or ""
    pdf = page.request.get(running.settings.url + slip).body()
    url = zxingcpp.read_barcodes(pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil())[0].text

    patient = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    patient.goto(url)
    patient.locator("input[name=answer]").fill("0107")
    patient.get_by_role("button", name="查看影像和报告").click()
    expect(patient.get_by_role("heading", name="诊断意见").first).to_be_visible()

    page.get_by_text("作废这张凭条").click()
    page.get_by_label("原因（必选）").select_option("lost")
    page.get_by_role("button", name="确认作废").click()
    expect(page.get_by_text("原来的链接已经打不开")).to_be_visible()
    patient.reload()
    expect(patient.get_by_role("heading", name="诊断意见")).to_have_count(0)
    patient.goto(url)
    expect(patient.locator("main")).to_contain_text("作废")


def test_finance_sees_the_charge_and_exports_what_the_page_says(running: Site, chromium: Chromium) -> None:
    page = log_in(chromium, running, Role.FINANCE)
    page.get_by_label("起").fill("2020-01-01")
    page.get_by_label("止").fill("2099-12-31")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("tfoot")).to_contain_text("本期合计（1 条）")
    expect(page.locator("tfoot")).to_contain_text("10.00")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert rows[0][0] == "结算月份"
    assert "10.00" in rows[-1]
    with page.expect_download() as book:
        page.get_by_role("link", name="XLSX").click()
    assert book.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("link", name="价格依据").click()
    expect(page.get_by_text("使用中")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def test_on_a_phone_every_page_and_every_button_is_in_reach(running: Site, chromium: Chromium) -> None:
    for role, pages in ((Role.DESK, ["发放凭条"]), (Role.FINANCE, ["收费明细", "价格依据"])):
        page = log_in(chromium, running, role)
        page.set_viewport_size({"width": 390, "height": 844})
        for name in [*pages, pages[0]]:
            page.get_by_role("navigation", name="主导航").get_by_role("link", name=name).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            for button in page.get_by_role("button").all():
                box = button.bounding_box()
                assert box is not None
                assert (box["x"] >= 0, box["x"] + box["width"] <= 390) == (True, True)
        page.get_by_role("button", name="退出").click()
        expect(page.get_by_role("heading", name="登录")).to_be_visible()
