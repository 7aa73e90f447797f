"""The one function every door calls: bytes become an instance, an order, or a report, and are durable when it returns."""

import hashlib
import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cloudfilm import clock
from cloudfilm.archive import layout
from cloudfilm.domain import letters, orders, sidecar, token
from cloudfilm.domain.visitmail import order_body, visit_body
from cloudfilm.imaging.header import NotDicom, read_header
from cloudfilm.keys import Keys
from cloudfilm.settings import Settings

from .book import Book, MintedLink
from .spool import Spool

log = logging.getLogger(__name__)

JSON_LIMIT = 1 << 20  # bytes of an order or a sidecar
FILE_LIMIT = 4 << 30
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"  # the last 8 bytes of encapsulated pixels (PS3.5 A.4)
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")  # their lengths say it
_REPORT_IDENTITY = "report 1"


class What(StrEnum):
    """What bytes turned out to be."""

    INSTANCE = "instance"
    ORDER = "order"
    REPORT = "report"
    QUARANTINED = "quarantined"
    WAITING = "waiting"  # a sidecar whose PDF is not there yet


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file. `id`: study key, visit id or report identity; `note`: `new`, `same`, `held`, or the reason in words."""

    what: What
    id: str
    note: str
    size: int
    study_instance_uid: str = ""
    accession_number: str = ""


def looks_whole(path: Path) -> bool:
    """Whether a file says itself that nothing of it is missing. What is no DICOM and no JSON cannot say so."""
    if path.suffix.lower() == ".pdf":
        return True
    data = path.read_bytes() if path.stat().st_size <= FILE_LIMIT else b""
    if path.suffix.lower() == ".json":
        return data.rstrip().endswith(b"}")
    try:
        header = read_header(data)
    except NotDicom:
        return False
    open_end = data.rstrip(b"\0").endswith(_SEQUENCE_END.rstrip(b"\0"))
    return "truncated" not in header.flags and (header.transfer_syntax_uid in _NATIVE or not header.has_pixels or open_end)


class Intake:
    """Takes files for one hospital."""

    def __init__(self, settings: Settings, keys: Keys, spool: Spool, book: Book) -> None:
        self._settings, self._keys, self.spool, self.book = settings, keys, spool, book

    def take_path(self, path: Path) -> Taken:
        """Take one file. Raises SpoolFull; OSError when the file itself cannot be read."""
        if path.stat().st_size > FILE_LIMIT:
            return Taken(What.QUARANTINED, path.name, "the file is larger than 4 GiB and was not kept", path.stat().st_size)
        if path.suffix.lower() == ".pdf":
            return Taken(What.WAITING, path.name, "a report's PDF is taken together with the sidecar that names it", path.stat().st_size)
        data = path.read_bytes()
        if path.suffix.lower() == ".json" and len(data) <= JSON_LIMIT:
            return self._json(data, path.parent)
        return self.take_instance(data)

    def take_instance(self, data: bytes) -> Taken:
        """Keep a DICOM file's bytes, or put them into quarantine with the reason. Raises SpoolFull."""
        try:
            header = read_header(data)
        except NotDicom as error:
            self.spool.quarantine(data, str(error))
            return Taken(What.QUARANTINED, "", str(error), len(data))
        study_key = layout.study_key(self._keys.study, header.study_instance_uid)
        outcome = self.spool.keep(study_key, header.sop_instance_uid, data)
        if outcome.state == "held":
            log.error("other content under a known SOP Instance UID is held for a person", extra={"study_key": study_key})
        return Taken(What.INSTANCE, study_key, outcome.state, len(data), header.study_instance_uid, header.accession_number)

    def _json(self, data: bytes, folder: Path) -> Taken:
        schema = _schema(data)
        if schema == sidecar.SCHEMA:
            return self._report(data, folder)
        if schema == orders.SCHEMA:
            return self.take_order(data)
        return self._refused(data, f"the JSON has none of the schemas {orders.SCHEMA}, {sidecar.SCHEMA}")

    def _refused(self, data: bytes, reason: str) -> Taken:
        self.spool.quarantine(data, reason)
        return Taken(What.QUARANTINED, "", reason, len(data))

    def take_order(self, data: bytes) -> Taken:
        """An order with its visit: letters, and a receipt link for a visit that has none, in one durable step."""
        try:
            order = orders.read(data)
        except orders.OrderWrong as error:
            return self._refused(data, f"the order cannot be used: {error}")
        now = clock.now()
        content = hashlib.sha256(data).hexdigest()
        hospital = self._settings.hospital
        with self.book.change() as c:
            known = c.execute("SELECT content FROM imaging_order WHERE accession_number = ?", (order.accession_number,)).fetchone()
            if known is not None and known[0] == content:
                return Taken(What.ORDER, order.visit_id, "same", len(data), accession_number=order.accession_number)
            c.execute(
                "INSERT OR REPLACE INTO imaging_order VALUES (?, ?, ?, ?, ?, ?)",
                (order.accession_number, order.visit_id, order.patient_id, order.name, order.expected_instances, content),
            )
            body = visit_body(order, hospital=hospital, pepper=self._keys.pepper)
            self.book.post(c, letters.write(hospital=hospital, kind=letters.Kind.VISIT, at=now, body=body))
            self.book.post(c, letters.write(hospital=hospital, kind=letters.Kind.ORDER, at=now, body=order_body(order)))
            if c.execute("SELECT 1 FROM link WHERE visit_id = ?", (order.visit_id,)).fetchone() is None:
                link = self._minted(now)
                c.execute("INSERT INTO link VALUES (?, ?, ?, ?)", (order.visit_id, link.grant_id, link.key_id, link.expires_at.isoformat()))
                told = {
                    "grant_id": link.grant_id,
                    "visit_id": order.visit_id,
                    "key_id": link.key_id,
                    "expires_at": link.expires_at.isoformat(),
                }
                self.book.post(c, letters.write(hospital=hospital, kind=letters.Kind.LINK_MINTED, at=now, body=told))
        return Taken(What.ORDER, order.visit_id, "new", len(data), accession_number=order.accession_number)

    def _minted(self, now: datetime) -> MintedLink:
        expires = (now + timedelta(days=self._settings.link_days)).replace(second=0, microsecond=0)
        return MintedLink(secrets.token_hex(16), self._keys.link_current, expires)

    def link_url(self, visit_id: str) -> str | None:
        """The receipt link of a visit that was ordered here; it opens nothing until its letter is registered."""
        link = self.book.link(visit_id)
        if link is None or link.key_id not in self._keys.link:
            return None
        key = self._keys.link[link.key_id]
        text = token.mint(grant_id=link.grant_id, expires_at=link.expires_at, key_id=link.key_id, key=key)
        return f"{self._settings.url}/v/{text}"

    def _report(self, data: bytes, folder: Path) -> Taken:
        try:
            words = sidecar.read(data)
        except sidecar.SidecarWrong as error:
            return self._refused(data, f"the report's sidecar cannot be used: {error}")
        files = {"sidecar.json": data}
        size = len(data)
        if words.pdf:
            pdf = folder / words.pdf
            if not pdf.is_file():
                return Taken(What.WAITING, "", "the sidecar names a PDF that is not beside it yet", size)
            files["report.pdf"] = pdf.read_bytes()
            size += len(files["report.pdf"])
            if not files["report.pdf"].startswith(b"%PDF") or b"%%EOF" not in files["report.pdf"][-2048:]:
                return Taken(What.WAITING, "", "the PDF beside the sidecar is not a whole PDF (yet)", size)
        parts = [_REPORT_IDENTITY, *(hashlib.sha256(files[name]).hexdigest() for name in sorted(files))]
        identity = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        note = "same" if (self.spool.reports / identity / "sidecar.json").exists() else "new"
        self.spool.keep_report(identity, files)
        return Taken(What.REPORT, identity, note, size, words.study_instance_uid, words.accession_number)


def _schema(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            raw = json.loads(data.decode(encoding))
        except (ValueError, RecursionError):  # nested so deep that nobody reads it
            continue
        return str(raw.get("schema", "")) if isinstance(raw, dict) else ""
    return ""


def files_under(paths: Iterable[Path]) -> list[Path]:
    """Files named or under the named folders: orders first, then DICOM, then reports, so that nothing waits without need."""
    found: list[Path] = []
    for path in paths:
        found += [p for p in sorted(path.rglob("*")) if p.is_file()] if path.is_dir() else [path]
    return in_order(found)


def in_order(files: Iterable[Path]) -> list[Path]:
    """Orders first, then DICOM, then reports, so that nothing waits without need."""
    return sorted(files, key=lambda p: (p.suffix.lower() != ".json" or "report" in p.name, p.suffix.lower() == ".json", p))
