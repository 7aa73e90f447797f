"""The text behind a QR: version, key id, grant id, expiry, signature. A signature alone opens nothing; the grant's row does.

Layout (38 bytes, base64url without padding = 51 characters, SECURITY.md 2): version u8 | key id u8 | grant id 16 bytes |
expiry u32 big endian, minutes since 1970 UTC | HMAC-SHA-256 of all before, cut to 16 bytes.
The text is malleable (unused bits of the last character): compare, count and revoke by `grant_id`, never by the text.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.exc import BadData
from itsdangerous.signer import HMACAlgorithm

_VERSION = 1
_BODY = struct.Struct(">BB16sI")
_SIGNATURE_BYTES = 16
_LENGTH = _BODY.size + _SIGNATURE_BYTES
_PURPOSE = b"cloudfilm link 1"


class TokenForged(Exception):
    """Not a link of ours, cut short, or signed with a key that is gone. All look the same to the person."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a genuine link says. `grant_id`: 32 hex digits; `expires_at`: UTC, whole minutes, as printed."""

    grant_id: str
    key_id: int
    expires_at: datetime


def _signature(key: bytes, body: bytes) -> bytes:
    derived = hmac.new(key, _PURPOSE, hashlib.sha256).digest()
    return HMACAlgorithm(hashlib.sha256).get_signature(derived, body)[:_SIGNATURE_BYTES]


def mint(*, grant_id: str, expires_at: datetime, key_id: int, key: bytes) -> str:
    """Token text (51 characters) of a grant. Same grant, expiry and key: same text, so a reprint is the same link."""
    minutes = int(expires_at.timestamp()) // 60
    body = _BODY.pack(_VERSION, key_id, bytes.fromhex(grant_id), minutes)
    return base64_encode(body + _signature(key, body)).decode("ascii")


def read(text: str, keys: Mapping[int, bytes]) -> Token:
    """The genuine token in `text`; raises TokenForged. Whether it has expired is the grant's business: it may be renewed."""
    if len(text) != 51:
        raise TokenForged
    try:
        raw = base64_decode(text)
    except (BadData, UnicodeError) as error:
        raise TokenForged from error
    if len(raw) != _LENGTH:
        raise TokenForged
    body, signature = raw[: _BODY.size], raw[_BODY.size :]
    version, key_id, grant_id, minutes = _BODY.unpack(body)
    key = keys.get(key_id)
    if version != _VERSION or key is None or not hmac.compare_digest(_signature(key, body), signature):
        raise TokenForged
    return Token(grant_id.hex(), key_id, datetime.fromtimestamp(minutes * 60, UTC))
