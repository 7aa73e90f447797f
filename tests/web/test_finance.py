"""Finance: the page, the export and the totals say the same."""

import csv
import io

import openpyxl
import pytest

from cloudfilm.records import journal
from cloudfilm.records.staff import Role

from .cast import Browser, Site
from .test_staff import logged_in

SPAN = "from=2020-01-01&to=2099-12-31"


@pytest.fixture
def finance(site: Site) -> Browser:
    for n in range(3):
        site.order(f"MZ{n}", f"CT{n}", "陈志远")
        site.study(f"MZ{n}", f"CT{n}", "陈志远")
    site.order("MZ9", "CT9", "林小雨")
    return logged_in(site, Role.FINANCE)


def rows(finance: Browser, more: str = "") -> list[list[str]]:
    data = finance.get(f"/staff/finance/export.csv?{SPAN}{more}").data
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_page_and_export_agree_and_names_are_masked(site: Site, finance: Browser) -> None:
    page = finance.get(f"/staff/finance?{SPAN}").text
    assert "本期合计（3 条）" in page
    assert "30.00" in page
    assert "1 次未交付" in page
    assert "陈志远" not in page
    table = rows(finance)
    assert len(table) == 5
    assert table[-1][1] == "3 条"
    assert "30.00" in table[-1]
    assert "陈*远" in table[1]
    book = openpyxl.load_workbook(io.BytesIO(finance.get(f"/staff/finance/export.xlsx?{SPAN}").data))
    assert book.active is not None
    assert book.active.max_row == 5


def test_a_resent_study_charges_nothing_more(site: Site, finance: Browser) -> None:
    site.study("MZ0", "CT0", "陈志远")
    assert rows(finance)[-1][1] == "3 条"


def test_a_filter_narrows_page_and_export(site: Site, finance: Browser) -> None:
    assert rows(finance, "&kind=reversal")[-1][1] == "0 条"
    assert len(rows(finance, "&kind=charge")) == 5
    empty = finance.get("/staff/finance?from=2020-01-01&to=2020-01-02").text
    assert "这段时间没有记录" in empty


def test_a_wrong_date_is_said(site: Site, finance: Browser) -> None:
    assert "日期写错了" in finance.get("/staff/finance?from=gestern").text


def test_the_export_is_journaled_with_count_sum_and_hash(site: Site, finance: Browser) -> None:
    answer = finance.get(f"/staff/finance/export.csv?{SPAN}")
    with site.database.read() as c:
        found = journal.about(c, "h", ["period:2020-01-01..2099-12-31"])
    told = next(r.reason for r in found if r.action == "finance-export")
    assert told == f"csv all 3 entries 3000 fen sha256 {answer.headers['X-Content-SHA256']}"


def test_finance_opens_no_film_and_issues_no_slip(site: Site, finance: Browser) -> None:
    assert finance.get("/staff/desk").status_code == 403


def test_the_price_in_force_is_marked(site: Site, finance: Browser) -> None:
    page = finance.get("/staff/finance/rates").text
    assert "使用中" in page
    assert "10.00" in page


def test_a_page_beyond_the_last_is_the_last(site: Site, finance: Browser) -> None:
    for number in ("2", "99999999999999999999", "-3"):
        assert "第 1–3 条" in finance.get(f"/staff/finance?{SPAN}&page={number}").text
