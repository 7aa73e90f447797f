"""Whose address a request comes from, and whether it was meant for this site."""

import ipaddress

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from .installation import here


def client_address() -> str:
    """The visitor's address: the nearest hop that is no trusted proxy. Headers of strangers are not believed."""
    trusted = here().settings.trusted_proxies
    hops = [request.remote_addr or "", *reversed([part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")])]
    for hop in hops:
        try:
            parsed = ipaddress.ip_address(hop)
        except ValueError:
            return "" if hop == hops[0] else hops[0]
        if not any(parsed in network for network in trusted if network.version == parsed.version):
            return hop
    return hops[-1]


def only_this_host(app: Flask) -> None:
    """Requests for another host are sent to the public address (GET) or refused: the Host header decides nothing."""

    @app.before_request
    def _host() -> ResponseReturnValue | None:
        site = here()
        if request.host == site.host or request.endpoint == "public.healthz":
            return None
        if request.method not in ("GET", "HEAD"):
            raise BadRequest
        return redirect(site.settings.url + "/" + request.full_path.lstrip("/").rstrip("?"), 307)
