"""Staff: who gets in, who may go where, and what a wrong password costs."""

import pytest

from cloudfilm import clock
from cloudfilm.records import failures, journal, staff
from cloudfilm.records.failures import Door
from cloudfilm.records.staff import Role
from cloudfilm.web.policy import RULES, Who

from .cast import Browser, Site

PASSWORD = "a-first-password"


def member(site: Site, role: Role, *, user: str = "", must_change: bool = False, hospital: str = "h") -> str:
    user = user or f"{role.value}-1"
    with site.database.write() as c:
        staff.add(c, hospital=hospital, staff_id=user, name="周敏", role=role, password=PASSWORD, must_change=must_change, now=clock.now())
    return user


def logged_in(site: Site, role: Role, **how: object) -> Browser:
    browser = site.browser()
    user = member(site, role, **how)  # type: ignore[arg-type]
    assert browser.submit("/staff/login", "/staff/login", user=user, password=PASSWORD).status_code == 303
    return browser


def staff_routes(site: Site) -> list[tuple[str, str, frozenset[Role]]]:
    values = {"grant_id": "0" * 32, "paper": "80mm", "form": "csv"}
    adapter = site.app.url_map.bind("127.0.0.1")
    found = []
    for route in site.app.url_map.iter_rules():
        rule = RULES[route.endpoint]
        if rule.who is Who.STAFF:
            path = adapter.build(route.endpoint, {name: values[name] for name in route.arguments})
            found += [(method, path, rule.roles) for method in ("GET", "POST") if method in (route.methods or ())]
    return found


def call(browser: Browser, method: str, path: str) -> int:
    return (browser.get(path) if method == "GET" else browser.submit("/staff/login", path)).status_code


@pytest.mark.parametrize("role", Role)
def test_every_staff_route_opens_for_its_roles_and_for_no_other(site: Site, role: Role) -> None:
    routes = staff_routes(site)
    assert len(routes) >= 12
    for method, path, roles in routes:
        if path == "/staff/logout":
            continue
        browser = logged_in(site, role, user=f"{role.value}-{abs(hash((method, path)))}")
        status = call(browser, method, path)
        if role in roles:
            assert status in (200, 303, 400, 404, 422), (method, path, status)
        else:
            assert status == 403, (method, path, status)


def test_a_stranger_is_sent_to_the_login(site: Site) -> None:
    for method, path, _roles in staff_routes(site):
        assert call(site.browser(), method, path) == 303, path


def test_a_wrong_password_says_nothing_and_five_pause_the_account(site: Site) -> None:
    user = member(site, Role.DESK)
    browser = site.browser()
    unknown = browser.submit("/staff/login", "/staff/login", user="nobody", password="x" * 12)
    wrong = [browser.submit("/staff/login", "/staff/login", user=user, password="x" * 12) for _ in range(5)]
    assert {a.status_code for a in (unknown, *wrong)} == {422}
    assert "工号或密码不对" in unknown.text
    assert browser.submit("/staff/login", "/staff/login", user=user, password=PASSWORD).status_code == 422


def test_the_first_password_must_change_before_anything_else(site: Site) -> None:
    browser = logged_in(site, Role.DESK, must_change=True)
    assert browser.get("/staff/desk").headers["Location"].endswith("/staff/password")
    short = browser.submit("/staff/password", "/staff/password", new="short", again="short")
    same = browser.submit("/staff/password", "/staff/password", new=PASSWORD, again=PASSWORD)
    differ = browser.submit("/staff/password", "/staff/password", new="one-long-password", again="another-password")
    assert [a.status_code for a in (short, same, differ)] == [422] * 3
    assert browser.submit("/staff/password", "/staff/password", new="my-own-password", again="my-own-password").status_code == 303
    assert browser.get("/staff/desk").status_code == 303  # every session ended: log in again
    assert browser.submit("/staff/login", "/staff/login", user="desk-1", password="my-own-password").status_code == 303
    assert browser.get("/staff/desk").status_code == 200


def test_logging_out_ends_the_session(site: Site) -> None:
    browser = logged_in(site, Role.FINANCE)
    assert browser.get("/staff/finance").status_code == 200
    assert browser.submit("/staff/finance", "/staff/logout").status_code == 303
    assert browser.get("/staff/finance").status_code == 303


def test_logins_are_in_the_journal_without_what_was_typed(site: Site) -> None:
    logged_in(site, Role.DESK)
    site.browser().submit("/staff/login", "/staff/login", user="secret-typed-here", password="x" * 12)
    with site.database.read() as c:
        rows = journal.about(c, "h", ["site"])
    assert {(r.actor, r.result) for r in rows} == {("staff:desk-1", "ok"), ("staff:unknown", "refused")}


def test_a_page_of_another_role_is_refused_in_the_staffs_own_words(site: Site) -> None:
    answer = logged_in(site, Role.DESK).get("/staff/finance")
    assert answer.status_code == 403
    assert "您的账号不能打开这个页面" in answer.text
    assert "凭条上的二维码" not in answer.text


def test_a_later_change_of_password_asks_for_the_present_one(site: Site) -> None:
    browser = logged_in(site, Role.DESK)
    new = {"new": "my-own-password", "again": "my-own-password"}
    refused = [browser.submit("/staff/password", "/staff/password", old=old, **new) for old in ("", "a-wrong-password")]
    assert [a.status_code for a in refused] == [422, 422]
    assert "现在的密码不对" in refused[1].text
    assert browser.submit("/staff/password", "/staff/password", old=PASSWORD, **new).status_code == 303
    assert browser.submit("/staff/login", "/staff/login", user="desk-1", password="my-own-password").status_code == 303


def test_patients_who_mistype_on_the_hospitals_network_keep_no_staff_out(site: Site) -> None:
    """The whole hospital comes from one public address: its Wi-Fi's wrong answers are counted apart from wrong passwords."""
    now = clock.now()
    with site.database.write() as c:
        for _ in range(failures.BLOCK_LIMIT):
            failures.note(c, "127.0.0.1", now)
    logged_in(site, Role.DESK)
    with site.database.write() as c:
        for _ in range(failures.BLOCK_LIMIT):
            failures.note(c, "127.0.0.1", now, Door.STAFF)
    assert site.browser().submit("/staff/login", "/staff/login", user="desk-1", password=PASSWORD).status_code == 429
