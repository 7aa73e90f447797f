"""The desk: find, issue, print, revoke, replace, unlock."""

import re
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from cloudfilm import clock
from cloudfilm.domain import token
from cloudfilm.records import grants, journal, visits
from cloudfilm.records.staff import Role

from .cast import Browser, Link, Site
from .test_staff import logged_in


@pytest.fixture
def desk(site: Site) -> Browser:
    return logged_in(site, Role.DESK)


def search(desk: Browser, q: str, visit: str = "") -> str:
    return desk.submit("/staff/desk", "/staff/desk", q=q, visit=visit).text


def act(desk: Browser, what: str, **fields: str) -> str:
    answer = desk.submit("/staff/desk", f"/staff/desk/{what}", **fields)
    assert answer.status_code == 303, answer.status_code
    return desk.get(answer.headers["Location"]).text


def qr_of(pdf: bytes) -> str:
    page = pypdfium2.PdfDocument(pdf)[0]
    return zxingcpp.read_barcodes(page.render(scale=2).to_pil())[0].text


@pytest.mark.parametrize("by", ["name", "beginning", "visit", "accession", "patient"])
def test_a_visit_is_found_by_name_visit_accession_or_patient(site: Site, link: Link, desk: Browser, by: str) -> None:
    with site.database.read() as c:
        visit = visits.get(c, "h", "MZ1")
    assert visit is not None
    q = {"name": visit.name, "beginning": visit.name[0], "visit": "MZ1", "accession": "CT1", "patient": visit.patient_id}[by]
    page = search(desk, q)
    assert "找到 1 条" in page
    assert "可查看" in page


def test_nothing_found_says_what_to_do(site: Site, link: Link, desk: Browser) -> None:
    assert "没有找到“王”" in search(desk, "王")
    assert "陈志远" not in search(desk, "%")


def test_no_name_or_number_is_ever_in_an_address(site: Site, link: Link, desk: Browser) -> None:
    page = search(desk, "陈志远", "MZ1")
    addresses = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert addresses
    assert not [a for a in addresses if "MZ1" in a or "CT1" in a or "%E9" in a or "陈" in a]


def test_a_reprint_is_the_same_link_and_opens(site: Site, link: Link, desk: Browser) -> None:
    page = search(desk, "陈志远", "MZ1")
    for paper in ("80mm", "a5"):
        path = f"/staff/desk/slip/{link.grant_id}/{paper}.pdf"
        assert path in page
        answer = desk.get(path)
        assert answer.mimetype == "application/pdf"
        assert qr_of(answer.data) == f"{site.settings.url}{link.path}"
    assert site.browser().answer(link).status_code == 303


def test_issuing_again_kills_the_old_link(site: Site, link: Link, desk: Browser) -> None:
    patient = site.browser().opened(link)
    page = act(desk, "issue", visit="MZ1", days="30", challenge="phone4")
    assert "旧凭条已作废" in page
    assert patient.get(link.film).status_code == 403
    found = re.search(r"/staff/desk/slip/([0-9a-f]{32})/80mm.pdf", page)
    assert found
    assert found[1] != link.grant_id
    url = qr_of(desk.get(found[0]).data)
    new = token.read(url.rpartition("/")[2], site.keys.link)
    assert new.grant_id == found[1]
    assert 29 <= (new.expires_at - clock.now()).days <= 30


def test_revoking_closes_the_door_at_once(site: Site, link: Link, desk: Browser) -> None:
    patient = site.browser().opened(link)
    page = act(desk, "revoke", visit="MZ1", reason="lost")
    assert "已作废" in page
    assert patient.get(link.film).status_code == 403
    assert site.browser().get(link.path).status_code == 410
    assert desk.get(f"/staff/desk/slip/{link.grant_id}/80mm.pdf").status_code == 404


def test_a_reason_must_be_given(site: Site, link: Link, desk: Browser) -> None:
    for reason in ("", "because"):
        assert desk.submit("/staff/desk", "/staff/desk/revoke", visit="MZ1", reason=reason).status_code == 400
    assert site.browser().answer(link).status_code == 303


def test_a_locked_link_is_unlocked_at_the_desk(site: Site, link: Link, desk: Browser) -> None:
    guesser = site.browser()
    for _ in range(5):
        guesser.answer(link, "9999")
    assert site.browser().get(link.path).status_code == 423
    assert "已锁定" in search(desk, "陈志远", "MZ1")
    act(desk, "unlock", visit="MZ1")
    assert site.browser().answer(link).status_code == 303


def test_a_pin_is_told_once_and_works(site: Site, link: Link, desk: Browser) -> None:
    answer = desk.submit("/staff/desk", "/staff/desk/issue", visit="MZ1", days="180", challenge="pin")
    assert answer.status_code == 200
    pin = re.search(r"取片码 (\d{6})", answer.text)
    assert pin
    assert pin[1] not in search(desk, "陈志远", "MZ1")
    with site.database.read() as c:
        grant = grants.receipt_of(c, "h", "MZ1", clock.now())
    assert grant is not None
    text = token.mint(grant_id=grant.id, expires_at=grant.token_expires_at, key_id=grant.key_id, key=site.keys.link[grant.key_id])
    browser = site.browser()
    assert browser.submit(f"/v/{text}", f"/v/{text}", answer=pin[1]).status_code == 303


def test_another_hospitals_visits_and_slips_do_not_exist_here(site: Site, link: Link) -> None:
    from cloudfilm.records import hospitals
    from cloudfilm.records.hospitals import Hospital

    desk = logged_in(site, Role.DESK)
    with site.database.write() as c:
        hospitals.put(c, Hospital("other", "另一家医院", "", "Asia/Shanghai"))
        c.exec_driver_sql("UPDATE session SET hospital = 'other' WHERE kind = 'staff'")
        c.exec_driver_sql(
            "INSERT INTO staff SELECT 'other', id, name, role, password_hash, must_change, 0, NULL, created_at, NULL FROM staff"
        )
    assert "没有找到“陈志远”" in (page := search(desk, "陈志远", "MZ1"))
    assert link.grant_id not in page
    assert desk.get(f"/staff/desk/slip/{link.grant_id}/80mm.pdf").status_code == 404
    assert desk.get(f"/staff/desk/slips/{link.grant_id}").status_code == 404
    for what, fields in (("issue", {"days": "30", "challenge": ""}), ("revoke", {"reason": "lost"}), ("unlock", {})):
        assert desk.submit("/staff/desk", f"/staff/desk/{what}", visit="MZ1", **fields).status_code == 404
    assert site.browser().answer(link).status_code == 303


def test_every_act_is_journaled(site: Site, link: Link, desk: Browser) -> None:
    search(desk, "陈志远", "MZ1")
    desk.get(f"/staff/desk/slip/{link.grant_id}/80mm.pdf")
    act(desk, "revoke", visit="MZ1", reason="lost")
    with site.database.read() as c:
        rows = journal.about(c, "h", [f"grant:{link.grant_id}", "visit:MZ1", "results:1"])
    assert {r.action for r in rows if r.actor == "staff:desk-1"} == {"desk-search", "desk-look", "link-print", "link-revoke"}
    assert not [r for r in rows if "陈" in repr(r)]


def test_the_hospitals_own_validity_is_offered_and_chosen(tmp_path: Path) -> None:
    site = Site(tmp_path, CLOUDFILM_LINK_DAYS="90")
    site.order()
    page = search(logged_in(site, Role.DESK), "陈志远", "MZ1")
    assert re.findall(r'name="days" value="(\d+)"( checked)?', page) == [("30", ""), ("90", " checked"), ("180", ""), ("365", "")]
    site.database.close()
