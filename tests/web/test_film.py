"""The film page: true words at every stage, the doctor's words whole, the journal before everything."""

import gzip

import pytest

from cloudfilm.records import journal

from .cast import REPORT_PDF, Link, Site


def _film(site: Site, link: Link) -> str:
    return site.browser().opened(link).get(link.film).text


def test_uploading_says_how_many_of_how_many(site: Site) -> None:
    site.order()
    site.arriving(312, 680)
    page = _film(site, site.link())
    assert "影像正在上传" in page
    assert "312 / 680 幅" in page
    assert '<progress max="680" value="312"' in page


def test_images_without_a_signed_report_say_so_and_show_no_word_of_the_draft(site: Site) -> None:
    site.order()
    site.study()
    site.report(status="preliminary")
    page = _film(site, site.link())
    assert "影像可以看，报告待审核" in page
    assert "小结节" not in page


def test_ready_shows_the_impression_first_and_whole_and_the_picture_before_both(site: Site, link: Link) -> None:
    page = _film(site, link)
    assert "影像和报告都可以看了" in page
    order = [
        page.index(part)
        for part in ('id="key"', "右肺上叶小结节，建议随访。", "纵隔未见肿大淋巴结。", "展开影像所见", "胸廓对称。", "李清", "周敏")
    ]
    assert order == sorted(order)
    assert "data:image/webp;base64," in page
    assert "仅供查阅，不作为诊断依据" in page


def test_a_corrected_report_stands_first_and_the_old_one_stays_reachable(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    new = site.report(status="amended", minutes=30, impression="更正：左肺结节。")
    page = browser.get(link.film).text
    assert "更正，请以此版为准" in page
    assert page.index("左肺结节") > 0
    assert "右肺上叶小结节" not in page
    old = page.split("看旧版")[0].rsplit('href="', 1)[1].split('"')[0]
    shown = browser.get(old).text
    assert "这是旧版，已经更正" in shown
    assert "右肺上叶小结节" in shown
    assert f"{link.film}/reports/{new}" in shown


def test_a_retracted_report_disappears_with_its_older_versions(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    first = site.report()
    assert browser.get(f"{link.film}/reports/{first}").status_code == 200
    site.report(status="retracted", minutes=30)
    assert "小结节" not in browser.get(link.film).text
    for part in ("", "/1.webp", "/report.pdf"):
        assert browser.get(f"{link.film}/reports/{first}{part}").status_code == 404


def test_a_draft_after_a_signed_report_leaves_the_signed_one(site: Site, link: Link) -> None:
    site.report(status="draft", minutes=30, impression="草稿")
    page = _film(site, link)
    assert "右肺上叶小结节" in page
    assert "草稿" not in page


def test_a_withdrawn_study_goes_dark_with_its_report_and_keeps_its_address(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    with site.database.write() as c:
        c.exec_driver_sql("UPDATE study SET state = 'withdrawn'")
    page = browser.get(link.film)
    assert page.status_code == 200
    assert "影像正在核对" in page.text
    for private in ("小结节", 'id="key"', "series/"):
        assert private not in page.text


def test_the_charge_is_told_in_words_and_yuan(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    assert "¥\u00a010.00" in browser.get(link.film).text
    page = browser.get(f"{link.film}/access").text
    assert "数字影像服务（云胶片）" in page
    assert "示例价目" in page


def test_who_looked_counts_openings_not_pages(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    for _ in range(3):
        browser.get(link.film)
    assert "共 1 次" in browser.get(link.film).text
    site.browser().opened(link)
    assert "共 2 次" in browser.get(link.film).text
    page = browser.get(f"{link.film}/access").text
    assert page.count("本人查看") == 2


def test_the_report_is_downloaded_under_a_name_that_names_nobody(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    answer = browser.get(f"{link.film}/reports/{site.report()}/report.pdf")
    assert answer.data.startswith(REPORT_PDF)
    assert answer.mimetype == "application/pdf"
    said = answer.headers["Content-Disposition"]
    assert said == "attachment; filename=\"report.pdf\"; filename*=UTF-8''%E6%A3%80%E6%9F%A5%E6%8A%A5%E5%91%8A.pdf"
    with site.database.read() as c:
        assert "report-download" in [row.action for row in journal.about(c, "h", ["visit:MZ1"])]


def test_the_report_can_be_read_as_pictures(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    page = browser.get(f"{link.film}/reports/{site.report()}").text
    picture = page.split('class="sheetpic" src="')[1].split('"')[0]
    assert browser.get(picture).mimetype == "image/webp"
    assert browser.get(picture.replace("/1.webp", "/2.webp")).status_code == 404


PRIVATE = ("/", "/access", "/reports/{report}", "/reports/{report}/1.webp", "/reports/{report}/report.pdf")


@pytest.mark.parametrize("path", PRIVATE)
def test_nothing_is_shown_when_the_journal_cannot_be_written(site: Site, link: Link, path: str) -> None:
    browser = site.browser().opened(link)
    report = site.report()
    address = (link.film + path.format(report=report)).rstrip("/")
    assert browser.get(address).status_code == 200
    with site.database.write() as c:
        c.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON journal_entry BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    answer = browser.get(address)
    assert answer.status_code == 503
    for private in ("小结节", "陈", "CT1", "webp;base64", "%PDF"):
        assert private.encode() not in answer.data


def test_a_proof_whose_journal_row_fails_opens_no_session(site: Site, link: Link) -> None:
    with site.database.write() as c:
        c.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON journal_entry BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    browser = site.browser()
    answer = browser.answer(link)
    assert answer.status_code == 503
    assert not [c for c in answer.headers.getlist("Set-Cookie") if "film-" in c]
    assert browser.get(link.film).status_code == 403


def test_text_goes_compressed(site: Site, link: Link) -> None:
    answer = site.browser().opened(link).get(link.film, **{"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "影像" in gzip.decompress(answer.data).decode()
