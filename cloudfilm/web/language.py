"""Which words and which size: zh-CN is the source (msgids), English a catalogue; 关怀模式 is a class on <html>.

Chosen by `?lang=` and `?care=` (kept in a cookie, then the address is cleaned), else by the cookie, else by Accept-Language.
"""

from datetime import timedelta
from pathlib import Path

from flask import Flask, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from . import catalogue, cookies

LANGUAGES = ("zh-CN", "en")
_FOLDER = Path(__file__).parent / "translations"
_YEAR = timedelta(days=365)


def language() -> str:
    """The page's language, one of LANGUAGES."""
    return str(g.get("lang", LANGUAGES[0]))


def care() -> bool:
    """Whether 关怀模式 (large, few things) is on."""
    return bool(g.get("care", False))


def _accepted() -> str:
    found = request.accept_languages.best_match(["zh-CN", "zh", "zh-Hans", "zh-TW", "en", "en-US", "en-GB"], default="zh-CN")
    return "en" if str(found).startswith("en") else "zh-CN"


def speak(app: Flask) -> None:
    """Give templates `_()`, ngettext(), lang and care; follow the visitor's choice."""
    words = {"en": catalogue.read(_FOLDER / "en" / "LC_MESSAGES" / "messages.po"), "zh-CN": catalogue.Catalogue({})}

    def gettext(message: str) -> str:
        return words[language()].gettext(message)

    def ngettext(singular: str, plural: str, n: int) -> str:
        return words[language()].ngettext(singular, plural, n)

    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.context_processor(lambda: {"lang": language(), "care": care()})

    @app.before_request
    def _choose() -> ResponseReturnValue | None:
        kept = cookies.read("lang")
        g.lang = kept if kept in LANGUAGES else _accepted()
        g.care = cookies.read("care") == "1"
        wanted_lang, wanted_care = request.args.get("lang"), request.args.get("care")
        if request.method != "GET" or request.endpoint in (None, "static") or (wanted_lang is None and wanted_care is None):
            return None
        response = make_response(redirect("/" + request.path.lstrip("/"), 303))
        if wanted_lang in LANGUAGES:
            cookies.put(response, "lang", wanted_lang, _YEAR)
        if wanted_care in ("0", "1"):
            cookies.put(response, "care", wanted_care, _YEAR)
        return response
