"""The tables, as SQLAlchemy Core sees them. The migrations lay them; a test keeps both equal.

Money is integer fen; times are UTC with zone; `hospital` begins every key. Ledger and journal are append-only by trigger.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no zone: it is put back on the way out, and naive times are refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id(name: str, length: int = 64) -> Column[str]:
    return Column(name, String(length), nullable=False)


def _word(name: str, length: int = 200) -> Column[str]:
    return Column(name, String(length), nullable=False, server_default="")


hospital = Table(
    "hospital",
    metadata,
    _id("id", 32),
    _word("name"),
    _word("phone", 64),
    _word("timezone", 64),
    PrimaryKeyConstraint("id"),
)

visit = Table(
    "visit",
    metadata,
    _id("hospital", 32),
    _id("id"),
    _word("visit_type", 16),
    _word("patient_id", 64),
    _word("name"),
    _word("name_key"),
    _word("sex", 8),
    _word("age", 8),
    _word("department", 100),
    _word("receipt_no", 64),
    Column("visit_date", Date, nullable=False),
    Column("proofs", Text, nullable=False, server_default="{}"),
    _word("phone_masked", 32),
    Column("derived", Boolean, nullable=False, server_default=text("false")),  # made from a study, no order known
    Column("told_at", Utc, nullable=False),  # time of the newest letter that told it
    PrimaryKeyConstraint("hospital", "id"),
    Index("ix_visit_name_key", "hospital", "name_key"),
    Index("ix_visit_patient_id", "hospital", "patient_id"),
)

imaging_order = Table(
    "imaging_order",
    metadata,
    _id("hospital", 32),
    _id("accession_number"),
    _id("visit_id"),
    _word("order_id", 64),
    _word("exam_code", 64),
    _word("exam_name"),
    _word("modality", 16),
    _word("body_part", 64),
    _word("department", 100),
    _word("doctor", 100),
    Column("ordered_at", Utc),
    Column("expected_instances", Integer),
    Column("cancelled_at", Utc),
    Column("told_at", Utc, nullable=False),
    PrimaryKeyConstraint("hospital", "accession_number"),
    ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"]),
    Index("ix_imaging_order_visit", "hospital", "visit_id"),
)

study = Table(
    "study",
    metadata,
    _id("hospital", 32),
    _id("study_key"),
    Column("visit_id", String(64)),
    _word("accession_number", 64),
    _word("study_instance_uid", 64),
    _word("patient_id", 64),
    _word("patient_name"),
    _word("description"),
    _word("modality", 64),
    _word("study_date", 10),
    Column("state", String(16), nullable=False),  # arriving, available, held, withdrawn
    _word("held_reason", 64),
    Column("received", Integer, nullable=False, server_default="0"),
    Column("expected", Integer),
    Column("revision", String(64)),
    Column("instances", Integer, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("series", Integer, nullable=False, server_default="0"),
    Column("not_shown", Integer, nullable=False, server_default="0"),
    Column("told_at", Utc, nullable=False),
    Column("available_at", Utc),
    PrimaryKeyConstraint("hospital", "study_key"),
    ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"]),
    CheckConstraint("state IN ('arriving', 'available', 'held', 'withdrawn')", name="state"),
    Index("ix_study_visit", "hospital", "visit_id"),
    Index("ix_study_accession", "hospital", "accession_number"),
    Index("ix_study_uid", "hospital", "study_instance_uid"),
)

revision = Table(
    "revision",
    metadata,
    _id("hospital", 32),
    _id("study_key"),
    _id("revision"),
    _id("manifest", 200),
    Column("instances", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("published_at", Utc, nullable=False),
    _id("letter_id"),
    PrimaryKeyConstraint("hospital", "study_key", "revision"),
    ForeignKeyConstraint(["hospital", "study_key"], ["study.hospital", "study.study_key"]),
)

stack = Table(
    "stack",
    metadata,
    _id("hospital", 32),
    _id("study_key"),
    _id("revision"),
    Column("position", Integer, nullable=False),
    _id("id", 80),
    _id("content_id"),
    _word("title"),
    _word("modality", 16),
    Column("count", Integer, nullable=False),
    Column("head", Text, nullable=False),  # JSON: what the viewer needs first (contracts.md 5)
    Column("frames", Text, nullable=False),  # JSON: exact index
    Column("keyframe", Text, nullable=False),  # base64 WebP
    Column("thumb", Text, nullable=False),  # base64 WebP
    _id("preview_key", 200),
    Column("preview_size", BigInteger, nullable=False),
    _id("preview_sha256"),
    _id("exact_key", 200),
    Column("exact_size", BigInteger, nullable=False),
    _id("exact_sha256"),
    PrimaryKeyConstraint("hospital", "study_key", "revision", "position"),
    ForeignKeyConstraint(["hospital", "study_key", "revision"], ["revision.hospital", "revision.study_key", "revision.revision"]),
    Index("ix_stack_id", "hospital", "id"),
)

report = Table(
    "report",
    metadata,
    _id("hospital", 32),
    _id("subject", 80),  # accession number, or uid:<Study Instance UID> where there is none
    Column("version", Integer, nullable=False),
    _id("content"),
    Column("visit_id", String(64)),
    _word("status", 16),
    _word("source", 16),
    _word("exam"),
    _word("department"),
    Column("findings", Text, nullable=False, server_default=""),
    Column("impression", Text, nullable=False, server_default=""),
    Column("words", Text, nullable=False, server_default=""),
    _word("reporting_doctor"),
    _word("reviewing_doctor"),
    Column("reported_at", Utc),
    Column("signed_at", Utc),
    Column("pdf_key", String(200)),
    Column("pdf_size", BigInteger),
    Column("pages", Text, nullable=False, server_default="[]"),
    Column("told_at", Utc, nullable=False),
    PrimaryKeyConstraint("hospital", "subject", "version"),
    UniqueConstraint("hospital", "subject", "content"),
    ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"]),
    Index("ix_report_visit", "hospital", "visit_id"),
)

access_grant = Table(
    "access_grant",
    metadata,
    _id("hospital", 32),
    _id("id", 32),
    _id("visit_id"),
    Column("kind", String(16), nullable=False),  # receipt now; share, pass, proxy are columns away
    Column("can_view", Boolean, nullable=False, server_default=text("true")),
    Column("can_report", Boolean, nullable=False, server_default=text("true")),
    Column("can_download", Boolean, nullable=False, server_default=text("true")),
    Column("challenge", String(16), nullable=False),
    Column("answer_digest", String(64), nullable=False),
    Column("key_id", Integer, nullable=False),
    Column("token_expires_at", Utc, nullable=False),  # as signed into the printed link; a reprint repeats it
    Column("expires_at", Utc, nullable=False),  # in force; may be moved past the printed one
    Column("created_at", Utc, nullable=False),
    _word("issued_by", 64),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_at", Utc),
    Column("revoked_at", Utc),
    _word("revoked_reason", 64),
    Column("replaced_by", String(32)),
    PrimaryKeyConstraint("hospital", "id"),
    UniqueConstraint("id"),
    ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"]),
    CheckConstraint("kind IN ('receipt', 'share', 'pass', 'proxy')", name="kind"),
    CheckConstraint("failures >= 0", name="failures"),
    Index("ix_access_grant_visit", "hospital", "visit_id"),
)

session = Table(
    "session",
    metadata,
    _id("hospital", 32),
    _id("id"),  # keyed hash of the cookie
    Column("kind", String(8), nullable=False),  # film, device, staff
    Column("grant_id", String(32)),
    Column("staff_id", String(64)),
    Column("created_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("ended_at", Utc),
    PrimaryKeyConstraint("id"),
    CheckConstraint("kind IN ('film', 'device', 'staff')", name="kind"),
    CheckConstraint("(staff_id IS NULL) <> (grant_id IS NULL)", name="owner"),
    Index("ix_session_grant", "hospital", "grant_id"),
    Index("ix_session_staff", "hospital", "staff_id"),
)

failure = Table(
    "failure",
    metadata,
    Column("at", Utc, nullable=False),
    _id("id", 32),
    _id("block", 48),  # address block: IPv4 /24 or IPv6 /48
    PrimaryKeyConstraint("id"),
    Index("ix_failure_at", "at"),
    Index("ix_failure_block_at", "block", "at"),
)

rate_card = Table(
    "rate_card",
    metadata,
    _id("hospital", 32),
    _id("item", 32),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    _word("name"),
    Column("unit", String(16), nullable=False),
    Column("patient_fen", BigInteger, nullable=False),
    Column("settlement_fen", BigInteger, nullable=False),
    _word("note"),
    PrimaryKeyConstraint("hospital", "item", "valid_from"),
    CheckConstraint("patient_fen >= 0 AND settlement_fen >= 0", name="price"),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    _id("hospital", 32),
    _id("id"),
    _id("visit_id"),
    _id("item", 32),
    Column("kind", String(16), nullable=False),
    Column("number", Integer, nullable=False),  # n-th charge of its unit; 2 only after 1 was reversed
    _id("cause"),  # id of the letter or of the person's action
    Column("amount_fen", BigInteger, nullable=False),
    Column("settlement_fen", BigInteger, nullable=False),
    Column("service_date", Date, nullable=False),
    Column("posted_at", Utc, nullable=False),
    _id("period", 7),  # YYYY-MM, the hospital's calendar month of posting
    _id("rate_card", 64),  # version that priced it
    Column("reverses", String(64)),
    _id("actor"),
    _word("reason"),
    _word("proof", 200),  # manifest that shows the film was provided
    PrimaryKeyConstraint("hospital", "id"),
    UniqueConstraint("hospital", "visit_id", "item", "cause"),
    UniqueConstraint("hospital", "reverses"),
    ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"]),
    ForeignKeyConstraint(["hospital", "reverses"], ["ledger_entry.hospital", "ledger_entry.id"]),
    CheckConstraint("kind IN ('charge', 'waiver', 'reversal', 'deduction', 'adjustment')", name="kind"),
    CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name="reversal"),
    CheckConstraint("kind <> 'charge' OR amount_fen >= 0", name="charge"),
    CheckConstraint("kind NOT IN ('waiver', 'reversal', 'deduction') OR amount_fen <= 0", name="credit"),
    Index("ix_ledger_entry_service_date", "hospital", "service_date"),
    Index("ix_ledger_entry_period", "hospital", "period"),
    Index(
        "uq_ledger_entry_charge",
        "hospital",
        "visit_id",
        "item",
        "number",
        unique=True,
        sqlite_where=text("kind = 'charge'"),
        postgresql_where=text("kind = 'charge'"),
    ),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("lane", Integer, nullable=False, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    _id("hash"),
    PrimaryKeyConstraint("lane"),
)

journal_entry = Table(
    "journal_entry",
    metadata,
    Column("lane", Integer, nullable=False, autoincrement=False),
    Column("number", BigInteger, nullable=False, autoincrement=False),
    Column("at", String(32), nullable=False),  # ISO, UTC: text, because it is hashed
    _id("hospital", 32),
    _id("actor", 80),  # grant:<id>, staff:<id>, device:<id>, system
    _id("action", 32),
    _word("object", 120),
    _word("reason"),
    _word("address", 48),  # block only
    _word("result", 32),
    _id("previous"),
    _id("hash"),
    PrimaryKeyConstraint("lane", "number"),
    Index("ix_journal_entry_object", "hospital", "object"),
    Index("ix_journal_entry_actor", "hospital", "actor"),
)

journal_checkpoint = Table(
    "journal_checkpoint",
    metadata,
    Column("number", BigInteger, nullable=False, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("heads", Text, nullable=False),  # JSON {lane: [number, hash]}
    _id("signature"),
    PrimaryKeyConstraint("number"),
)

staff = Table(
    "staff",
    metadata,
    _id("hospital", 32),
    _id("id"),
    _word("name"),
    Column("role", String(16), nullable=False),
    _id("password_hash", 200),
    Column("must_change", Boolean, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", Utc),
    Column("created_at", Utc, nullable=False),
    Column("disabled_at", Utc),
    PrimaryKeyConstraint("hospital", "id"),
    CheckConstraint("role IN ('desk', 'doctor', 'finance', 'auditor', 'operator', 'admin')", name="role"),
)

letter = Table(
    "letter",
    metadata,
    _id("hospital", 32),
    _id("id"),
    _word("kind", 32),
    Column("at", Utc, nullable=False),
    Column("applied_at", Utc, nullable=False),
    Column("state", String(8), nullable=False),  # applied, held
    _word("reason"),
    PrimaryKeyConstraint("hospital", "id"),
    CheckConstraint("state IN ('applied', 'held')", name="state"),
)

APPEND_ONLY = ("ledger_entry", "journal_entry", "journal_checkpoint")
