"""Reads a gettext catalogue (.po) into memory at start-up: the words of pages, no compiler and no Babel in the running site."""

import ast
from pathlib import Path


class Catalogue:
    """msgid -> msgstr; plural forms by the English rule (n != 1). A missing or empty translation shows the msgid."""

    def __init__(self, entries: dict[str, list[str]]) -> None:
        self._entries = entries

    def gettext(self, message: str) -> str:
        return (self._entries.get(message) or [""])[0] or message

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        forms = self._entries.get(singular, [])
        which = 0 if n == 1 else 1
        found = forms[which] if which < len(forms) else (forms or [""])[0]
        return found or (singular if n == 1 else plural)

    def __contains__(self, message: str) -> bool:
        return bool(self._entries.get(message, [""])[0])


def read(path: Path) -> Catalogue:
    """The catalogue in `path`; fuzzy entries are left out, as msgfmt does."""
    entries: dict[str, list[str]] = {}
    for block in path.read_text("utf-8").split("\n\n"):
        parts = _parts(block)
        if parts.get("msgid") and "#, fuzzy" not in block:
            forms = [text for name, text in parts.items() if name.startswith("msgstr")]
            entries[parts["msgid"]] = forms
    return Catalogue(entries)


def _parts(block: str) -> dict[str, str]:
    """Keyword -> text of one entry; continued lines are joined."""
    parts: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        line = line.strip()
        if line.startswith("#") or not line:
            continue
        if not line.startswith('"'):
            name, _, line = line.partition(" ")
            parts[name] = ""
        parts[name] += ast.literal_eval(line)
    return parts
