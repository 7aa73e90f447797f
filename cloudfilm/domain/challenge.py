"""What a person may be asked, how an answer is normalised, and the keyed hash that is kept of it.

Answers themselves leave neither the hospital nor the form: both sides hash with the pepper of keys.py (SECURITY.md 3).
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Challenge(StrEnum):
    """Kinds of proof, in the order in which they are offered."""

    PHONE_LAST_4 = "phone4"
    ID_LAST_6 = "id6"
    ID_LAST_4 = "id4"
    BIRTH_DATE = "birth"
    PIN = "pin"


_SHAPES = {
    Challenge.PHONE_LAST_4: r"[0-9]{4}",
    Challenge.ID_LAST_6: r"[0-9]{5}[0-9X]",
    Challenge.ID_LAST_4: r"[0-9]{3}[0-9X]",
    Challenge.BIRTH_DATE: r"[0-9]{8}",
    Challenge.PIN: r"[0-9]{6}",
}
LENGTHS = {
    Challenge.PHONE_LAST_4: 4,
    Challenge.ID_LAST_6: 6,
    Challenge.ID_LAST_4: 4,
    Challenge.BIRTH_DATE: 8,
    Challenge.PIN: 6,
}


def normalise(kind: Challenge, answer: str) -> str | None:
    """The answer as it is hashed, or None when it cannot be one. Full-width digits, blanks, dashes and a small x are forgiven."""
    plain = re.sub(r"[\s./年月日-]", "", unicodedata.normalize("NFKC", answer)).upper()
    return plain if re.fullmatch(_SHAPES[kind], plain) else None


def digest(pepper: bytes, hospital: str, subject: str, kind: Challenge, answer: str) -> str | None:
    """Keyed hash (64 hex) of an answer about `subject` (a visit id, or a grant id for a PIN); None when it has no answer's shape."""
    plain = normalise(kind, answer)
    if plain is None:
        return None
    message = "\0".join(("cloudfilm answer 1", hospital, subject, kind.value, plain))
    return hmac.new(pepper, message.encode(), hashlib.sha256).hexdigest()


def offered(proofs: Mapping[str, str], policy: Iterable[Challenge] = tuple(Challenge)) -> Challenge | None:
    """The first challenge of the hospital's policy that this visit can answer; None: only the desk can help."""
    return next((kind for kind in policy if kind.value in proofs), None)


def matches(expected: str, given: str | None) -> bool:
    """Constant-time comparison of two digests; no answer's shape is no match."""
    return hmac.compare_digest(expected, given or "")
