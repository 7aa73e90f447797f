"""Letters between hospital and cloud: one JSON value each, named by the hash of its content (docs/formats/contracts.md 3).

Unknown fields are kept, unknown kinds are readable (the registrar holds them for a person).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SCHEMA = "cloudfilm-letter/1"


class LetterWrong(Exception):
    """Bytes that are not a whole letter; the text says what is missing."""


class Kind(StrEnum):
    """Kinds that this version knows."""

    VISIT = "visit"
    ORDER = "order"
    ORDER_CANCELLED = "order-cancelled"
    LINK_MINTED = "link-minted"
    STUDY_ARRIVING = "study-arriving"
    STUDY_PUBLISHED = "study-published"
    REPORT_PUBLISHED = "report-published"


REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    Kind.VISIT: ("visit_id", "patient_id", "name", "visit_date", "proofs"),
    Kind.ORDER: ("visit_id", "accession_number"),
    Kind.ORDER_CANCELLED: ("accession_number",),
    Kind.LINK_MINTED: ("grant_id", "visit_id", "key_id", "expires_at"),
    Kind.STUDY_ARRIVING: ("study_key", "study_instance_uid", "accession_number", "patient_id", "patient_name", "received"),
    Kind.STUDY_PUBLISHED: (
        "study_key",
        "study_instance_uid",
        "accession_number",
        "patient_id",
        "patient_name",
        "revision",
        "manifest",
        "instances",
    ),
    Kind.REPORT_PUBLISHED: ("accession_number", "status", "content"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole letter. `at`: UTC; `kind`: a Kind's value or an unknown word; `body`: as in the contract, unknown fields included."""

    id: str
    hospital: str
    kind: str
    at: datetime
    body: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Canonical JSON, UTF-8."""
        return _canonical({"id": self.id, **_content(self.hospital, self.kind, self.at, self.body)})


def _content(hospital: str, kind: str, at: datetime, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"schema": SCHEMA, "hospital": hospital, "kind": kind, "at": at.isoformat(), "body": dict(body)}


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def write(*, hospital: str, kind: Kind, at: datetime, body: Mapping[str, Any]) -> Letter:
    """A new letter; raises LetterWrong when the body lacks a required field."""
    _check(kind, body)
    identity = hashlib.sha256(_canonical(_content(hospital, kind.value, at, body))).hexdigest()
    return Letter(identity, hospital, kind.value, at, body)


def read(data: bytes) -> Letter:
    """The letter in `data`; raises LetterWrong for other bytes, a false id, or a known kind without its fields."""
    try:
        raw = json.loads(data)
        letter = Letter(str(raw["id"]), str(raw["hospital"]), str(raw["kind"]), datetime.fromisoformat(raw["at"]), dict(raw["body"]))
        content = _content(letter.hospital, letter.kind, letter.at, letter.body)
        schema = raw["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise LetterWrong("not a letter: it is no JSON with schema, id, hospital, kind, at and body") from error
    if schema != SCHEMA or hashlib.sha256(_canonical(content)).hexdigest() != letter.id or letter.at.tzinfo is None:
        raise LetterWrong("not a whole letter: its id is not the hash of its content")
    if letter.kind in set(Kind):
        _check(Kind(letter.kind), letter.body)
    return letter


def _check(kind: Kind, body: Mapping[str, Any]) -> None:
    missing = [name for name in REQUIRED[kind] if name not in body]
    if missing:
        raise LetterWrong(f"a letter of kind {kind.value} lacks {', '.join(missing)}")
