"""A patient's whole way in a real browser: receipt, answer, film, report, leaving. Real server process, real DICOM through the
imaging room, real registrar. The study is drawn by formulas here; the demo study is walked too where ../shared is.
"""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Playwright

from cloudfilm.archive import layout
from cloudfilm.domain.letters import Kind
from cloudfilm.imaging.header import read_header
from cloudfilm.imaging.series import build_series
from cloudfilm.web import ROOT

from .cast import Link, Site
from .test_server import _free_port, _wait

PHONE = {"width": 390, "height": 844}


@dataclass
class Clinic:
    """A running site with one patient's published film."""

    site: Site
    link: Link
    log: Path


def publish(site: Site, files: list[Path], work: Path, accession: str = "CT1", visit: str = "MZ1") -> None:
    """One series of real files, as the publisher puts it."""
    out = work / "series"
    out.mkdir()
    series = build_series(files, out, lambda done: None)
    content = series["content_id"]
    site.archive.put(layout.exact("h", content), out / "exact", series["exact"]["sha256"])
    series["exact"]["key"] = layout.exact("h", content)
    for stack in series["stacks"]:
        stack["preview"]["key"] = layout.preview("h", content, stack["n"])
        site.archive.put(stack["preview"]["key"], out / f"{stack['n']}.preview", stack["preview"]["sha256"])
    header = read_header(files[0].read_bytes())
    key = layout.study_key(site.keys.study, header.study_instance_uid)
    revision = hashlib.sha256(content.encode()).hexdigest()
    manifest = layout.manifest("h", key, revision)
    site.put(manifest, json.dumps({"hospital": "h", "study_key": key, "revision": revision, "series": [series]}).encode())
    body = {
        "study_key": key, "study_instance_uid": header.study_instance_uid, "accession_number": accession, "patient_id": f"P{visit}",
        "patient_name": "陈志远", "study_date": "2026-11-20", "description": header.study_description, "modality": "CT", "series": 1,
        "revision": revision, "manifest": manifest, "instances": len(files), "bytes": series["exact"]["size"], "not_shown": 0,
    }  # fmt: skip
    site.post(Kind.STUDY_PUBLISHED, body)


def drawn(folder: Path) -> list[Path]:
    """A chest CT of formulas: a study of nobody (tools/phantom.py), a few slices of it."""
    from tools.phantom import write_dicom

    folder.mkdir()
    write_dicom(folder, slices=12)
    return sorted(folder.rglob("*.dcm"))


@pytest.fixture(params=["drawn", "demo"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    if request.param == "demo":
        data = request.getfixturevalue("shared_data")
        with tarfile.open(data / "demo-study-zh" / "dicom.tar.xz") as packed:
            packed.extractall(tmp_path, filter="data")
        files = sorted((tmp_path / "demo-study-zh").glob("*.dcm"))
    else:
        files = drawn(tmp_path / "drawn")
    port = _free_port()
    environment = {"CLOUDFILM_URL": f"http://127.0.0.1:{port}", "CLOUDFILM_PORT": str(port), "CLOUDFILM_WEB_WORKERS": "1"}
    home = tmp_path / "home"
    home.mkdir()
    site = Site(home, **environment)
    site.order()
    publish(site, files, tmp_path)
    site.report()
    link = site.link()
    log = tmp_path / "web.log"
    environment |= {"CLOUDFILM_HOME": str(home), "CLOUDFILM_HOSPITAL": "h", "CLOUDFILM_HOSPITAL_NAME": site.settings.hospital_name}
    environment |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "cloudfilm", "web"], env=environment, stderr=out, stdout=out, cwd=tmp_path)
    try:
        _wait(f"{site.settings.url}/healthz", process, log)
        yield Clinic(site, link, log)
    finally:
        process.terminate()
        process.wait(20)
        site.database.close()


def _page(chromium: Chromium, *, script: bool = True) -> tuple[Page, list[str]]:
    context = chromium.new_context(viewport=PHONE, locale="zh-CN", java_script_enabled=script)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" and "422" not in said.text else None)
    return page, complaints


def _seen(page: Page, words: str) -> bool:
    """Whether the words stand somewhere a person sees (the viewer keeps a hidden copy of the report for its sheet)."""
    return page.get_by_text(words).locator("visible=true").count() > 0


def _prove(page: Page, clinic: Clinic) -> None:
    page.goto(clinic.site.settings.url + clinic.link.path)
    assert page.evaluate("document.activeElement.tagName") == "BODY"  # the keyboard must not hide what the page is
    page.get_by_label("请输入登记手机号的后 4 位").fill("9999")
    page.get_by_role("button", name="查看影像和报告").click()
    assert page.get_by_role("alert").is_visible()
    page.get_by_label("请输入登记手机号的后 4 位").fill(clinic.link.answer)
    page.get_by_role("button", name="查看影像和报告").click()
    page.wait_for_url("**/f/*")


def test_from_receipt_to_film_to_leaving(clinic: Clinic, chromium: Chromium) -> None:
    page, complaints = _page(chromium)
    _prove(page, clinic)
    film = page.url
    assert clinic.link.text not in film
    assert _seen(page, "影像和报告都可以看了")
    assert _seen(page, "右肺上叶小结节，建议随访。")
    page.wait_for_function("performance.getEntriesByName('key-drawn').length > 0")
    page.wait_for_function("performance.getEntriesByName('all').length > 0", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("#report-source").get_by_text("展开影像所见").click()
    assert _seen(page, "胸廓对称。")
    page.get_by_role("link", name="谁看过").click()
    assert _seen(page, "本人查看")
    assert _seen(page, "数字影像服务（云胶片）")
    page.get_by_role("link", name="返回我的检查").click()
    with page.expect_download() as caught:
        page.get_by_role("link", name="下载报告").click()
    assert caught.value.suggested_filename == "检查报告.pdf"
    page.get_by_role("link", name="看报告原件").click()
    page.go_back()
    page.get_by_role("button", name="离开").click()
    assert page.get_by_role("heading", name="已离开").is_visible()
    page.goto(film)
    assert page.get_by_role("heading", name="请再扫一次凭条").is_visible()
    assert [said for said in complaints if "403" not in said] == []


def test_without_script_everything_but_the_viewer_works_and_the_picture_is_there(clinic: Clinic, chromium: Chromium) -> None:
    page, _ = _page(chromium, script=False)
    page.goto(clinic.site.settings.url + clinic.link.path)
    page.fill("#a", clinic.link.answer)
    page.click("form button")
    page.wait_for_url("**/f/*")
    key = page.locator("#key")
    assert key.is_visible()
    assert _seen(page, "右肺上叶小结节，建议随访。")
    shot = key.screenshot()
    assert len(set(shot)) > 100  # a picture, not a black square
    page.get_by_role("button", name="离开").click()
    assert page.get_by_role("heading", name="已离开").is_visible()


def test_nothing_private_stays_in_the_browsers_profile(clinic: Clinic, tmp_path: Path, driver: Playwright, program: str) -> None:
    profile = tmp_path / "profile"
    context = driver.chromium.launch_persistent_context(
        str(profile), executable_path=program, args=["--no-sandbox"], viewport=PHONE, locale="zh-CN"
    )
    page = context.pages[0]
    _prove(page, clinic)
    page.wait_for_function("performance.getEntriesByName('all').length > 0", timeout=60_000)
    key = page.get_attribute("#key", "src") or ""
    page.get_by_role("button", name="离开").click()
    context.close()
    secrets = ["小结节".encode(), "陈*远".encode(), "陈志远".encode(), key[40:100].encode(), b"PVS1"]
    for path in profile.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for secret in secrets:
                assert secret not in data, path


def _first_answer(clinic: Clinic) -> bytes:
    """The film page as sent, gzip."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    door = clinic.site.settings.url + clinic.link.path
    token = re.search(r'name="csrf" value="([^"]+)"', opener.open(door).read().decode())
    assert token is not None
    film = opener.open(door, data=f"csrf={token[1]}&answer={clinic.link.answer}".encode()).url
    return bytes(opener.open(Request(film, headers={"Accept-Encoding": "gzip"})).read())


FIRST_FLIGHT = 14 * 1024  # ten TCP segments less the headers


def test_the_first_picture_comes_with_the_first_flight_of_the_first_answer(clinic: Clinic) -> None:
    sent = _first_answer(clinic)
    first = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(sent[:FIRST_FLIGHT]).decode("utf-8", "ignore")
    picture = re.search(r'<img[^>]*id="key"[^>]*src="data:image/webp;base64,[A-Za-z0-9+/=]+"[^>]*>', first)
    assert picture is not None, f"{len(sent)} bytes"
    assert 'id="voi"' in first
    assert 'id="film-data"' in first[picture.end() :]
    assert first.index("影像和报告都可以看了") < picture.start()
    assert len(sent) <= FIRST_FLIGHT
    assert b"keyframe" not in gzip.decompress(sent)
