"""The secrets of one installation: made once, kept 0600, never shown.

File (or CLOUDFILM_KEYS as JSON text): {"link": {"<kid>": hex, ...}, "link_current": kid, "struck": [kid, ...],
"pepper": hex, "study": hex, "site": hex, "journal": hex}. Hospital side and cloud side of one hospital share it.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

_OTHERS = ("pepper", "study", "site", "journal")


class KeysWrong(Exception):
    """The key file cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Ring of secrets; every value is 32 bytes."""

    link: dict[int, bytes]  # key id (0..255) -> signing key of links, struck keys left out
    link_current: int  # the id that new links are signed with
    pepper: bytes  # keyed hash of answers, PINs, session ids
    study: bytes  # keyed hash of Study Instance UIDs: names of objects
    site: bytes  # CSRF tokens
    journal: bytes  # signature of journal checkpoints


def _read(text: str, where: str) -> Keys:
    try:
        raw = json.loads(text)
        struck = {int(kid) for kid in raw.get("struck", [])}
        link = {int(kid): bytes.fromhex(value) for kid, value in raw["link"].items() if int(kid) not in struck}
        others = (bytes.fromhex(raw[name]) for name in _OTHERS)
        keys = Keys(link, int(raw["link_current"]), *others)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysWrong(f"The keys in {where} cannot be read; put the copy from your safe back, nothing was changed.") from error
    if keys.link_current not in keys.link or not 0 <= min(keys.link) <= max(keys.link) <= 255:
        raise KeysWrong(f"The keys in {where} name a current link key that is missing or struck; add a new one.")
    return keys


def load(home: Path, given: str | None) -> Keys:
    """Keys from `given` (JSON text or path), else from home/keys/keys.json, which is made when missing."""
    if given and given.lstrip().startswith("{"):
        return _read(given, "CLOUDFILM_KEYS")
    path = Path(given) if given else home / "keys" / "keys.json"
    if not path.exists() and not given:
        _make(path)
    try:
        return _read(path.read_text(), str(path))
    except OSError as error:
        raise KeysWrong(f"The key file {path} cannot be opened ({error.strerror}).") from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = {name: secrets.token_hex(32) for name in _OTHERS}
    raw = {"link": {"1": secrets.token_hex(32)}, "link_current": 1, "struck": [], **fresh}
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(raw, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # the first of several starting processes wins; the others read what it made
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
