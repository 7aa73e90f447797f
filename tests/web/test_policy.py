"""One table says who may call what. The walk goes over the routes as the app has them, so a new one cannot be forgotten."""

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route

from cloudfilm.web import policy
from cloudfilm.web.policy import ANYBODY, RULES, PolicyIncomplete, Who

from .cast import Browser, Link, Site


def _addresses(site: Site, link: Link, who: Who) -> list[tuple[str, str, str]]:
    """(method, address, endpoint) of every route of a kind, with this grant's real ids in it."""
    with site.database.read() as c:
        from cloudfilm.records import reports, stacks

        stack = stacks.of_visit(c, "h", "MZ1")[0]
        report = reports.of_visit(c, "h", "MZ1")[0].content[:32]
    values = {
        "grant": link.grant_id,
        "stack": stack.id,
        "content": stack.id.rpartition("-")[0],
        "report": report,
        "number": 1,
        "text": link.text,
    }
    found = []
    for route in site.app.url_map.iter_rules():
        if RULES[route.endpoint].who is who:
            found += [
                (method, _fill(site.app, route, values), route.endpoint) for method in sorted(route.methods or ()) if method != "OPTIONS"
            ]
    return found


def _fill(app: Flask, route: Route, values: dict[str, object]) -> str:
    adapter = app.url_map.bind("127.0.0.1")
    return adapter.build(route.endpoint, {name: values[name] for name in route.arguments})


def _call(browser: Browser, method: str, address: str) -> int:
    if method == "POST":
        return browser.submit("/v/" + browser.site.link(number=9).text, address).status_code
    return browser.client.open(address, method=method, base_url=browser.site.settings.url).status_code


def test_every_private_route_opens_for_its_own_session_and_for_nobody_else(site: Site, link: Link) -> None:
    site.order("MZ2", "CT2", "林小雨")
    other = site.link("MZ2")
    routes = _addresses(site, link, Who.FILM)
    assert len(routes) >= 15
    owner, stranger, neighbour = site.browser().opened(link), site.browser(), site.browser().opened(other)
    for method, address, endpoint in routes:
        if endpoint != "film.leave":
            assert _call(owner, method, address) == 200, (method, endpoint)
        assert _call(stranger, method, address) == 403, (method, endpoint)
        assert _call(neighbour, method, address) == 403, (method, endpoint)
    site.revoke(link)
    for method, address, endpoint in routes:
        assert _call(owner, method, address) == 403, (method, endpoint)


def test_a_neighbours_ids_in_ones_own_address_open_nothing(site: Site, link: Link) -> None:
    site.order("MZ2", "CT2", "林小雨")
    site.study("MZ2", "CT2", "林小雨")
    site.report("MZ2", "CT2", impression="另一个人的诊断")
    other = site.link("MZ2")
    neighbour = site.browser().opened(other)
    private = [a.replace(link.grant_id, other.grant_id) for m, a, e in _addresses(site, link, Who.FILM) if m == "GET" and e != "film.film"]
    private = [address for address in private if not address.endswith("/access")]
    assert len(private) >= 6
    for address in private:
        assert neighbour.get(address).status_code == 404, address


def test_every_method_that_a_route_does_not_know_is_refused(site: Site, link: Link) -> None:
    for address in ("/", link.path, link.film):
        assert site.app.test_client().delete(address, base_url=site.settings.url).status_code in (400, 403, 405)


def test_an_endpoint_without_a_rule_stops_the_start() -> None:
    app = Flask("probe", static_folder=None)
    for endpoint in RULES:
        app.add_url_rule(f"/{endpoint}", endpoint=endpoint, view_func=lambda: "")
    guards = {who: (lambda rule: None) for who in Who}
    policy.enforce(app, guards)
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "")
    with pytest.raises(PolicyIncomplete, match="forgotten"):
        policy.enforce(app, guards)


def test_a_rule_without_a_guard_stops_the_start(tmp_path: Path) -> None:
    app = Flask("probe", static_folder=None)
    for endpoint in RULES:
        app.add_url_rule(f"/{endpoint}", endpoint=endpoint, view_func=lambda: "")
    with pytest.raises(PolicyIncomplete, match="film"):
        policy.enforce(app, {who: (lambda rule: None) for who in Who if who is not Who.FILM})


def test_what_anybody_may_call_is_short_and_private_to_nobody(site: Site, link: Link) -> None:
    public = sorted(name for name, rule in RULES.items() if rule == ANYBODY)
    assert set(public) <= {"static", "public.home", "public.healthz", "public.robots", "staff.login", "staff.authenticate"}
    for path in ("/", "/healthz", "/robots.txt"):
        assert "陈" not in site.browser().get(path).text
