"""The door of a link: what each state shows, what is counted, what is not."""

import base64
from datetime import timedelta

import pytest

from cloudfilm import clock
from cloudfilm.records import grants, journal

from .cast import Link, Site


def test_a_stranger_sees_the_hospital_and_a_masked_name_and_nothing_else(site: Site, link: Link) -> None:
    page = site.browser().get(link.path).text
    assert "明川市第一人民医院" in page
    assert "陈*远" in page
    for private in ("陈志远", "胸部", "CT1", "139", "结节", "李清"):
        assert private not in page


def test_the_right_answer_opens_the_film_and_the_token_leaves_the_address(site: Site, link: Link) -> None:
    answer = site.browser().answer(link)
    assert (answer.status_code, answer.headers["Location"]) == (303, link.film)
    browser = site.browser().opened(link)
    page = browser.get(link.film)
    assert page.status_code == 200
    assert "右肺上叶小结节" in page.text
    assert link.text not in page.text


def test_five_wrong_answers_lock_the_link_for_every_unknown_device(site: Site, link: Link) -> None:
    for left in (4, 3, 2, 1):
        told = site.browser().answer(link, "0000")
        assert told.status_code == 422
        assert f"还可以再试 {left} 次" in told.text
    assert site.browser().answer(link, "0000").status_code == 423
    fresh = site.browser()
    assert fresh.get(link.path).status_code == 423
    assert fresh.answer(link).status_code == 400  # the locked page has no form: no token, no try
    assert site.grant(link).locked_at is not None


def test_a_device_that_once_proved_itself_is_spared_the_lock(site: Site, link: Link) -> None:
    known = site.browser().opened(link)
    assert known.submit(link.film, f"{link.film}/leave").status_code == 200
    for _ in range(5):
        site.browser().answer(link, "0000")
    assert site.browser().get(link.path).status_code == 423
    assert known.get(link.path).status_code == 200
    assert "再试一次" in known.answer(link, "0000").text
    assert known.answer(link).status_code == 303


def test_looking_never_counts_and_never_opens(site: Site, link: Link) -> None:
    before = site.grant(link)
    for agent in ("WeChat", "facebookexternalhit/1.1", "Mozilla/5.0"):
        for _ in range(4):
            assert site.browser().get(link.path, **{"User-Agent": agent}).status_code == 200
    assert site.grant(link) == before
    with site.database.read() as c:
        assert journal.about(c, "h", ["visit:MZ1"]) == []


def test_an_empty_or_misshapen_answer_is_no_try(site: Site, link: Link) -> None:
    for answer in ("", "12", "abcd", "12345678901234567890" * 9):
        told = site.browser().answer(link, answer)
        assert told.status_code == 422
        assert "请输入 4 位数字" in told.text
    assert site.grant(link).failures == 0


def test_full_width_digits_and_blanks_are_forgiven(site: Site, link: Link) -> None:
    assert site.browser().answer(link, " ０1 07").status_code == 303


def test_forged_cut_and_foreign_links_all_look_the_same(site: Site, link: Link) -> None:
    raw = bytearray(base64.urlsafe_b64decode(link.text + "="))
    raw[20] ^= 1
    forged = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    pages = {site.browser().get(f"/v/{text}").text for text in (forged, link.text[:-1], "x", "A" * 51)}
    assert len(pages) == 1
    assert "没有找到这个链接" in pages.pop()
    assert site.browser().get(f"/v/{forged}").status_code == 404


def test_the_unused_bits_of_a_tokens_last_character_do_not_make_another_link(site: Site, link: Link) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = link.text[:-1] + alphabet[alphabet.index(link.text[-1]) ^ 1]
    assert site.browser().get(f"/v/{twin}").status_code == 200
    for _ in range(5):
        site.browser().answer(Link(link.grant_id, twin, ""), "0000")
    assert site.browser().get(link.path).status_code == 423


def test_a_minted_link_whose_letter_has_not_come_says_wait_and_names_nobody(site: Site, link: Link) -> None:
    unknown = site.minted("f" * 32, clock.now() + timedelta(days=9))
    page = site.browser().get(unknown.path)
    assert page.status_code == 200
    assert "还没有做检查" in page.text
    assert "陈" not in page.text
    assert site.browser().get(site.minted("f" * 32, clock.now() - timedelta(days=9)).path).status_code == 410


def test_an_expired_link_says_until_when_and_takes_no_answer(site: Site) -> None:
    site.order()
    link = site.link(days=-1)
    page = site.browser().get(link.path)
    assert page.status_code == 410
    assert "凭条已过期" in page.text
    assert "陈" not in page.text


def test_a_revoked_link_ends_its_sessions_at_once(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    assert browser.get(link.film).status_code == 200
    site.revoke(link)
    for path in (link.film, f"{link.film}/access"):
        assert browser.get(path).status_code == 403
    page = browser.get(link.path)
    assert page.status_code == 410
    assert "凭条已作废" in page.text


def test_a_link_that_nobody_can_answer_sends_the_person_to_the_desk(site: Site) -> None:
    site.order(phone="", birth_date="")
    link = site.link()
    page = site.browser().get(link.path).text
    assert "请到登记台核对身份" in page
    assert "<form" not in page


def test_before_the_examination_the_proof_is_asked_and_the_film_says_wait(site: Site) -> None:
    site.order()
    link = site.link()
    page = site.browser().opened(link).get(link.film).text
    assert "还没有做检查" in page
    assert "待检查" in page
    assert "胸部 CT 增强" in page


def test_a_session_serves_its_own_grant_only(site: Site, link: Link) -> None:
    site.order("MZ2", "CT2", "林小雨")
    other = site.link("MZ2")
    browser = site.browser().opened(link)
    assert browser.get(other.film).status_code == 403
    browser.opened(other)
    assert browser.get(other.film).status_code == 200
    assert browser.get(link.film).status_code == 200


def test_a_cookie_put_under_another_grants_name_opens_nothing(site: Site, link: Link) -> None:
    site.order("MZ2", "CT2", "林小雨")
    other = site.link("MZ2")
    browser = site.browser().opened(link)
    for kind in ("film", "device"):
        mine = browser.client.get_cookie(f"{kind}-{link.grant_id[:12]}", domain="127.0.0.1")
        assert mine is not None
        browser.client.set_cookie(f"{kind}-{other.grant_id[:12]}", mine.value, domain="127.0.0.1")
    assert browser.get(other.film).status_code == 403
    for _ in range(5):
        site.browser().answer(other, "0000")
    assert browser.get(other.path).status_code == 423


@pytest.mark.parametrize("change", ["expires_at = '2020-01-01 00:00:00'", "revoked_at = '2020-01-01 00:00:00'"])
def test_a_link_that_ends_while_its_session_lives_shows_nothing_more(site: Site, link: Link, change: str) -> None:
    browser = site.browser().opened(link)
    with site.database.write() as c:
        c.exec_driver_sql(f"UPDATE access_grant SET {change}")
    assert browser.get(link.film).status_code == 403


def test_wrong_answers_from_one_network_are_slowed_but_a_right_one_never(site: Site, link: Link) -> None:
    from cloudfilm.records import failures

    with site.database.write() as c:
        for _ in range(failures.BLOCK_LIMIT):
            failures.note(c, "192.0.2.7", clock.now())
    slow = site.browser(REMOTE_ADDR="192.0.2.9").answer(link, "0000")
    assert slow.status_code == 429
    assert slow.headers["Retry-After"]
    assert site.browser(REMOTE_ADDR="198.51.100.1").answer(link, "0000").status_code == 422
    assert site.browser(REMOTE_ADDR="192.0.2.9").answer(link).status_code == 303


def test_a_form_without_its_token_changes_nothing(site: Site, link: Link) -> None:
    stranger = site.app.test_client()
    answer = stranger.post(link.path, base_url=site.settings.url, data={"answer": "0000"})
    assert answer.status_code == 400
    assert site.grant(link).failures == 0


def test_a_proof_and_its_failures_stand_in_the_journal_without_the_answer(site: Site, link: Link) -> None:
    site.browser().answer(link, "4321")
    site.browser().opened(link)
    with site.database.read() as c:
        rows = journal.about(c, "h", ["visit:MZ1"])
    assert sorted((r.action, r.result) for r in rows) == [("film-open", "ok"), ("proof", "right"), ("proof", "wrong")]
    assert "4321" not in repr(rows)
    assert "0107" not in repr([(r.actor, r.object, r.reason) for r in rows])


def test_a_right_answer_renews_the_link(site: Site, link: Link) -> None:
    with site.database.write() as c:
        found = grants.find(c, link.grant_id)
        assert found is not None
    before = found.expires_at
    with site.database.write() as c:
        c.exec_driver_sql("UPDATE access_grant SET expires_at = '2026-12-01 00:00:00'")
    site.browser().opened(link)
    assert site.grant(link).expires_at >= before - timedelta(days=1)


@pytest.mark.parametrize("seconds", [31 * 60, 12 * 3600 + 1])
def test_sessions_end_when_idle_and_at_the_latest_after_twelve_hours(site: Site, link: Link, seconds: int) -> None:
    browser = site.browser().opened(link)
    column = "seen_at" if seconds < 3600 else "expires_at"
    ago = clock.now() - timedelta(seconds=seconds) if column == "seen_at" else clock.now() - timedelta(seconds=1)
    with site.database.write() as c:
        c.exec_driver_sql(f"UPDATE session SET {column} = ? WHERE kind = 'film'", (ago.strftime("%Y-%m-%d %H:%M:%S.%f"),))
    page = browser.get(link.film)
    assert page.status_code == 403
    assert "请再扫一次凭条" in page.text


def test_leaving_ends_the_session_on_the_server(site: Site, link: Link) -> None:
    browser = site.browser().opened(link)
    kept = browser.client.get_cookie(f"film-{link.grant_id[:12]}", domain="127.0.0.1")
    assert kept is not None
    assert browser.submit(link.film, f"{link.film}/leave").status_code == 200
    thief = site.browser()
    thief.client.set_cookie(f"film-{link.grant_id[:12]}", kept.value, domain="127.0.0.1")
    assert thief.get(link.film).status_code == 403
