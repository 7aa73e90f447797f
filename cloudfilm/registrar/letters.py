"""One function a letter kind: each brings the records to the letter's state, in the caller's transaction, any number of times."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloudfilm.archive.contract import Archive
from cloudfilm.domain.letters import Kind, Letter
from cloudfilm.domain.rates import Unit, price_on
from cloudfilm.keys import Keys
from cloudfilm.records import grants, ledger, rates, reports, stacks, studies, visits
from cloudfilm.records.studies import Revision, Study

from .identity import contradiction
from .stackrows import stacks_of

log = logging.getLogger(__name__)


class NotYet(Exception):
    """The letter speaks of something that another letter must bring first: it stays in the box."""


class MustBeHeld(Exception):
    """A person must look; the text says why, without personal data."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the functions below need besides the letter."""

    archive: Archive
    keys: Keys
    timezone: ZoneInfo
    link_days: int
    now: datetime


def apply(c: Connection, desk: Desk, letter: Letter) -> None:
    """Bring the records to the letter's state; raises NotYet or MustBeHeld."""
    act = ACTS.get(letter.kind)
    if act is None:
        raise MustBeHeld(f"kind {letter.kind[:32]} is not known to this version")
    act(c, desk, letter)


def _visit(c: Connection, desk: Desk, letter: Letter) -> None:
    b = letter.body
    given = visits.Visit(
        hospital=letter.hospital,
        id=str(b["visit_id"]),
        visit_type=str(b.get("visit_type", "")),
        patient_id=str(b["patient_id"]),
        name=str(b["name"]),
        sex=str(b.get("sex", "")),
        age=str(b.get("age", "")),
        department=str(b.get("department", "")),
        receipt_no=str(b.get("receipt_no", "")),
        visit_date=date.fromisoformat(str(b["visit_date"])),
        proofs=dict(b["proofs"]),
        phone_masked=str(b.get("phone_masked", "")),
        derived=False,
    )
    visits.put(c, given, letter.at)
    told = visits.get(c, letter.hospital, given.id)
    if told is not None:
        grants.follow_visit(c, told)


def _order(c: Connection, desk: Desk, letter: Letter) -> None:
    b = letter.body
    visit = visits.get(c, letter.hospital, str(b["visit_id"]))
    if visit is None:
        raise NotYet
    order = visits.ImagingOrder(
        hospital=letter.hospital,
        accession_number=str(b["accession_number"]),
        visit_id=visit.id,
        order_id=str(b.get("order_id", "")),
        exam_code=str(b.get("exam_code", "")),
        exam_name=str(b.get("exam_name", "")),
        modality=str(b.get("modality", "")),
        body_part=str(b.get("body_part", "")),
        department=str(b.get("department", "")),
        doctor=str(b.get("doctor", "")),
        ordered_at=_time(b.get("ordered_at")),
        expected_instances=b.get("expected_instances"),
        cancelled_at=None,
    )
    visits.put_order(c, order, letter.at)
    for study in studies.by_accession(c, letter.hospital, order.accession_number):
        was = study.visit_id
        _tie(c, desk, study, visit)
        now_on = studies.get(c, letter.hospital, study.study_key)
        moved = was is not None and was != visit.id and now_on is not None and now_on.visit_id == visit.id
        if moved and was is not None and _derived(c, letter.hospital, was):
            grants.move(c, letter.hospital, was, visit.id)
    reports.attach(c, letter.hospital, order.accession_number, visit.id)


def _derived(c: Connection, hospital: str, visit_id: str) -> bool:
    found = visits.get(c, hospital, visit_id)
    return found is not None and found.derived


def _order_cancelled(c: Connection, desk: Desk, letter: Letter) -> None:
    if not visits.cancel_order(c, letter.hospital, str(letter.body["accession_number"]), letter.at):
        raise NotYet


def _link_minted(c: Connection, desk: Desk, letter: Letter) -> None:
    visit = visits.get(c, letter.hospital, str(letter.body["visit_id"]))
    if visit is None:
        raise NotYet
    grants.admit_minted(c, visit, letter.body, letter.at)
    for study in studies.of_visit(c, letter.hospital, visit.id):
        _renew(c, desk, study, visit)


def _study_row(letter: Letter) -> dict[str, Any]:
    b = letter.body
    return {
        "hospital": letter.hospital,
        "study_key": str(b["study_key"]),
        "accession_number": str(b["accession_number"]),
        "study_instance_uid": str(b["study_instance_uid"]),
        "patient_id": str(b["patient_id"]),
        "patient_name": str(b["patient_name"]),
        "description": str(b.get("description", "")),
        "modality": str(b.get("modality", "")),
        "study_date": str(b.get("study_date", "")),
        "told_at": letter.at,
        "received": int(b.get("received", b.get("instances", 0))),
        "expected": b.get("expected"),
    }


def _study_arriving(c: Connection, desk: Desk, letter: Letter) -> None:
    studies.arriving(c, _study_row(letter))
    _settle(c, desk, letter)


def _study_published(c: Connection, desk: Desk, letter: Letter) -> None:
    b = letter.body
    manifest = json.loads(desk.archive.read(str(b["manifest"])))
    told = {
        **_study_row(letter),
        "instances": int(b["instances"]),
        "bytes": int(b.get("bytes", 0)),
        "series": int(b.get("series", 0)),
        "not_shown": int(b.get("not_shown", 0)),
    }
    entry = Revision(
        hospital=letter.hospital,
        study_key=str(b["study_key"]),
        revision=str(b["revision"]),
        manifest=str(b["manifest"]),
        instances=int(b["instances"]),
        bytes=int(b.get("bytes", 0)),
        published_at=letter.at,
        letter_id=letter.id,
    )
    if (manifest["hospital"], manifest["study_key"], manifest["revision"]) != (entry.hospital, entry.study_key, entry.revision):
        raise MustBeHeld("the manifest is not the one the letter names")
    studies.publish(c, told, entry)
    for stack in stacks_of(manifest):
        stacks.put(c, stack)
    _settle(c, desk, letter)


def _settle(c: Connection, desk: Desk, letter: Letter) -> None:
    """Find the study's visit: by its order, else by the gateway's word, else one is derived from the study itself."""
    study = studies.get(c, letter.hospital, str(letter.body["study_key"]))
    assert study is not None  # entered just before
    if study.state == studies.State.HELD:
        return
    if study.visit_id is not None:
        visit = visits.get(c, letter.hospital, study.visit_id)
        assert visit is not None  # a foreign key holds it
        _tie(c, desk, study, visit)
        return
    order = visits.order_of_accession(c, letter.hospital, study.accession_number) if study.accession_number else None
    visit_id = order.visit_id if order else letter.body.get("visit_id")
    visit = visits.get(c, letter.hospital, str(visit_id)) if visit_id else None
    if visit is None and study.revision is not None:
        visit = _derive(c, study, letter)
    if visit is not None:
        _tie(c, desk, study, visit)


def _derive(c: Connection, study: Study, letter: Letter) -> visits.Visit:
    """A visit made from a study that no order announced; an order that comes later moves the study to its own visit."""
    visit_id = f"S-{study.study_key[:24]}"
    day = study.study_date or letter.at.date().isoformat()
    given = visits.Visit(
        hospital=study.hospital,
        id=visit_id,
        visit_type="",
        patient_id=study.patient_id,
        name=study.patient_name,
        sex=str(letter.body.get("sex", "")),
        age=str(letter.body.get("age", "")),
        department="",
        receipt_no="",
        visit_date=date.fromisoformat(day),
        proofs={},
        phone_masked="",
        derived=True,
    )
    visits.put(c, given, letter.at)
    return given


def _tie(c: Connection, desk: Desk, study: Study, visit: visits.Visit) -> None:
    """The study hangs on the visit: hold what contradicts, bring its reports, renew its links, charge once."""
    why = contradiction(visit, patient_id=study.patient_id, patient_name=study.patient_name)
    if why:
        studies.hold(c, study.hospital, study.study_key, why)
        log.warning("study held", extra={"study_key": study.study_key, "reason": why})
        return
    if study.visit_id != visit.id:
        studies.attach(c, study.hospital, study.study_key, visit.id)
    for subject in {study.accession_number, f"uid:{study.study_instance_uid}"} - {""}:
        reports.attach(c, study.hospital, subject, visit.id)
    if study.revision is None or study.state == studies.State.WITHDRAWN:
        return
    _renew(c, desk, study, visit)
    _charge(c, desk, study, visit)


def _renew(c: Connection, desk: Desk, study: Study, visit: visits.Visit) -> None:
    """A receipt lives link_days after the visit's last publication (SECURITY.md 2)."""
    published = studies.last_published(c, study.hospital, study.study_key)
    if published is None:
        return
    for grant in grants.of_visit(c, visit.hospital, visit.id):
        if grant.kind == "receipt":
            grants.renew(c, grant, published + timedelta(days=desk.link_days))


def _charge(c: Connection, desk: Desk, study: Study, visit: visits.Visit) -> None:
    """One charge a visit, in this transaction; a derived visit is not charged: nobody has said that there was a visit."""
    if visit.derived or study.revision is None:
        return
    entry = studies.revision_of(c, study.hospital, study.study_key, study.revision)
    assert entry is not None  # a published study names its revision
    day = date.fromisoformat(study.study_date) if study.study_date else visit.visit_date
    card = price_on(rates.cards(c, study.hospital), day, Unit.VISIT)
    if card is None:
        log.warning("no rate card for the service date", extra={"study_key": study.study_key})
        return
    ledger.charge(
        c,
        hospital=study.hospital,
        visit_id=visit.id,
        card=card,
        cause=entry.letter_id,
        service_date=day,
        posted_at=desk.now,
        period=desk.now.astimezone(desk.timezone).strftime("%Y-%m"),
        proof=entry.manifest,
    )


def _report_published(c: Connection, desk: Desk, letter: Letter) -> None:
    b = letter.body
    accession, uid = str(b["accession_number"]), str(b.get("study_instance_uid", ""))
    subject = accession or f"uid:{uid}"
    given = reports.Report(
        hospital=letter.hospital,
        subject=subject,
        version=0,
        content=str(b["content"]),
        visit_id=_visit_of_report(c, letter, accession, uid),
        status=str(b["status"]),
        source=str(b.get("source", "")),
        exam=str(b.get("exam", "")),
        department=str(b.get("department", "")),
        findings=str(b.get("findings", "")),
        impression=str(b.get("impression", "")),
        words=str(b.get("text", "")),
        reporting_doctor=str(b.get("reporting_doctor", "")),
        reviewing_doctor=str(b.get("reviewing_doctor", "")),
        reported_at=_time(b.get("reported_at")),
        signed_at=_time(b.get("signed_at")),
        pdf_key=(b.get("pdf") or {}).get("key"),
        pdf_size=(b.get("pdf") or {}).get("size"),
        pages=list(b.get("pages") or []),
    )
    reports.put(c, given, letter.at)


def _visit_of_report(c: Connection, letter: Letter, accession: str, uid: str) -> str | None:
    """The visit a report is about; None: it waits. Raises MustBeHeld when the report names another person."""
    b = letter.body
    order = visits.order_of_accession(c, letter.hospital, accession) if accession else None
    study = studies.by_uid(c, letter.hospital, uid) if uid else None
    visit_id = order.visit_id if order else study.visit_id if study else None
    visit = visits.get(c, letter.hospital, visit_id) if visit_id else None
    if visit is None:
        return None
    why = contradiction(visit, patient_id=str(b.get("patient_id", "")), patient_name=str(b.get("patient_name", "")))
    if why:
        raise MustBeHeld(f"the report contradicts its visit: {why}")
    return visit.id


def _time(value: Any) -> datetime | None:
    if not value:
        return None
    parsed = datetime.fromisoformat(str(value))
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


ACTS: Mapping[str, Callable[[Connection, Desk, Letter], None]] = {
    Kind.VISIT: _visit,
    Kind.ORDER: _order,
    Kind.ORDER_CANCELLED: _order_cancelled,
    Kind.LINK_MINTED: _link_minted,
    Kind.STUDY_ARRIVING: _study_arriving,
    Kind.STUDY_PUBLISHED: _study_published,
    Kind.REPORT_PUBLISHED: _report_published,
}
