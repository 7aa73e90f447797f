"""What anybody may ask: the front page (which says to scan the receipt), and whether the site lives."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from .installation import here

blueprint = Blueprint("public", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Nothing can be looked up from here: films open by their links only."""
    return render_template("patient/home.html")


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 when this worker reaches the records; 503 otherwise."""
    with here().database.read() as c:
        c.execute(text("SELECT 1"))
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/robots.txt")
def robots() -> ResponseReturnValue:
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")
