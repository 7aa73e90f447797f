"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("ledger_entry", "journal_entry", "journal_checkpoint")


def upgrade() -> None:
    op.create_table(
        "failure",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("block", sa.String(length=48), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure")),
    )
    op.create_index("ix_failure_at", "failure", ["at"], unique=False)
    op.create_index("ix_failure_block_at", "failure", ["block", "at"], unique=False)
    op.create_table(
        "hospital",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=64), server_default="", nullable=False),
        sa.Column("timezone", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital")),
    )
    op.create_table(
        "journal_checkpoint",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_journal_checkpoint")),
    )
    op.create_table(
        "journal_entry",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("object", sa.String(length=120), server_default="", nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("address", sa.String(length=48), server_default="", nullable=False),
        sa.Column("result", sa.String(length=32), server_default="", nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("lane", "number", name=op.f("pk_journal_entry")),
    )
    op.create_index("ix_journal_entry_actor", "journal_entry", ["hospital", "actor"], unique=False)
    op.create_index("ix_journal_entry_object", "journal_entry", ["hospital", "object"], unique=False)
    op.create_table(
        "journal_head",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "letter",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('applied', 'held')", name=op.f("ck_letter_state")),
        sa.PrimaryKeyConstraint("hospital", "id", name=op.f("pk_letter")),
    )
    op.create_table(
        "rate_card",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("patient_fen", sa.BigInteger(), nullable=False),
        sa.Column("settlement_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint("patient_fen >= 0 AND settlement_fen >= 0", name=op.f("ck_rate_card_price")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_rate_card_days")),
        sa.PrimaryKeyConstraint("hospital", "item", "valid_from", name=op.f("pk_rate_card")),
    )
    op.create_table(
        "session",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=True),
        sa.Column("staff_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('film', 'device', 'staff')", name=op.f("ck_session_kind")),
        sa.CheckConstraint("(staff_id IS NULL) <> (grant_id IS NULL)", name=op.f("ck_session_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index("ix_session_grant", "session", ["hospital", "grant_id"], unique=False)
    op.create_index("ix_session_staff", "session", ["hospital", "staff_id"], unique=False)
    op.create_table(
        "staff",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('desk', 'doctor', 'finance', 'auditor', 'operator', 'admin')", name=op.f("ck_staff_role")),
        sa.PrimaryKeyConstraint("hospital", "id", name=op.f("pk_staff")),
    )
    op.create_table(
        "visit",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("visit_type", sa.String(length=16), server_default="", nullable=False),
        sa.Column("patient_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("name_key", sa.String(length=200), server_default="", nullable=False),
        sa.Column("sex", sa.String(length=8), server_default="", nullable=False),
        sa.Column("age", sa.String(length=8), server_default="", nullable=False),
        sa.Column("department", sa.String(length=100), server_default="", nullable=False),
        sa.Column("receipt_no", sa.String(length=64), server_default="", nullable=False),
        sa.Column("visit_date", sa.Date(), nullable=False),
        sa.Column("proofs", sa.Text(), server_default="{}", nullable=False),
        sa.Column("phone_masked", sa.String(length=32), server_default="", nullable=False),
        sa.Column("derived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hospital", "id", name=op.f("pk_visit")),
    )
    op.create_index("ix_visit_name_key", "visit", ["hospital", "name_key"], unique=False)
    op.create_index("ix_visit_patient_id", "visit", ["hospital", "patient_id"], unique=False)
    op.create_table(
        "access_grant",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("can_view", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("can_report", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("can_download", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("challenge", sa.String(length=16), nullable=False),
        sa.Column("answer_digest", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=64), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(length=64), server_default="", nullable=False),
        sa.Column("replaced_by", sa.String(length=32), nullable=True),
        sa.CheckConstraint("kind IN ('receipt', 'share', 'pass', 'proxy')", name=op.f("ck_access_grant_kind")),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_access_grant_failures")),
        sa.ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"], name=op.f("fk_access_grant_hospital_visit_id")),
        sa.PrimaryKeyConstraint("hospital", "id", name=op.f("pk_access_grant")),
        sa.UniqueConstraint("id", name=op.f("uq_access_grant_id")),
    )
    op.create_index("ix_access_grant_visit", "access_grant", ["hospital", "visit_id"], unique=False)
    op.create_table(
        "imaging_order",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("accession_number", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("exam_code", sa.String(length=64), server_default="", nullable=False),
        sa.Column("exam_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("modality", sa.String(length=16), server_default="", nullable=False),
        sa.Column("body_part", sa.String(length=64), server_default="", nullable=False),
        sa.Column("department", sa.String(length=100), server_default="", nullable=False),
        sa.Column("doctor", sa.String(length=100), server_default="", nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_instances", sa.Integer(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"], name=op.f("fk_imaging_order_hospital_visit_id")),
        sa.PrimaryKeyConstraint("hospital", "accession_number", name=op.f("pk_imaging_order")),
    )
    op.create_index("ix_imaging_order_visit", "imaging_order", ["hospital", "visit_id"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("settlement_fen", sa.BigInteger(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("rate_card", sa.String(length=64), nullable=False),
        sa.Column("reverses", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("proof", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name=op.f("ck_ledger_entry_reversal")),
        sa.CheckConstraint("kind <> 'charge' OR amount_fen >= 0", name=op.f("ck_ledger_entry_charge")),
        sa.CheckConstraint("kind IN ('charge', 'waiver', 'reversal', 'deduction', 'adjustment')", name=op.f("ck_ledger_entry_kind")),
        sa.CheckConstraint("kind NOT IN ('waiver', 'reversal', 'deduction') OR amount_fen <= 0", name=op.f("ck_ledger_entry_credit")),
        sa.ForeignKeyConstraint(
            ["hospital", "reverses"], ["ledger_entry.hospital", "ledger_entry.id"], name=op.f("fk_ledger_entry_hospital_reverses")
        ),
        sa.ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"], name=op.f("fk_ledger_entry_hospital_visit_id")),
        sa.PrimaryKeyConstraint("hospital", "id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("hospital", "reverses", name=op.f("uq_ledger_entry_hospital_reverses")),
        sa.UniqueConstraint("hospital", "visit_id", "item", "cause", name=op.f("uq_ledger_entry_hospital_visit_id_item_cause")),
    )
    op.create_index("ix_ledger_entry_period", "ledger_entry", ["hospital", "period"], unique=False)
    op.create_index("ix_ledger_entry_service_date", "ledger_entry", ["hospital", "service_date"], unique=False)
    op.create_index(
        "uq_ledger_entry_charge",
        "ledger_entry",
        ["hospital", "visit_id", "item", "number"],
        unique=True,
        sqlite_where=sa.text("kind = 'charge'"),
        postgresql_where=sa.text("kind = 'charge'"),
    )
    op.create_table(
        "report",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=16), server_default="", nullable=False),
        sa.Column("source", sa.String(length=16), server_default="", nullable=False),
        sa.Column("exam", sa.String(length=200), server_default="", nullable=False),
        sa.Column("department", sa.String(length=200), server_default="", nullable=False),
        sa.Column("findings", sa.Text(), server_default="", nullable=False),
        sa.Column("impression", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("reporting_doctor", sa.String(length=200), server_default="", nullable=False),
        sa.Column("reviewing_doctor", sa.String(length=200), server_default="", nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pdf_key", sa.String(length=200), nullable=True),
        sa.Column("pdf_size", sa.BigInteger(), nullable=True),
        sa.Column("pages", sa.Text(), server_default="[]", nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"], name=op.f("fk_report_hospital_visit_id")),
        sa.PrimaryKeyConstraint("hospital", "subject", "version", name=op.f("pk_report")),
        sa.UniqueConstraint("hospital", "subject", "content", name=op.f("uq_report_hospital_subject_content")),
    )
    op.create_index("ix_report_visit", "report", ["hospital", "visit_id"], unique=False)
    op.create_table(
        "study",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=True),
        sa.Column("accession_number", sa.String(length=64), server_default="", nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), server_default="", nullable=False),
        sa.Column("patient_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("patient_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("description", sa.String(length=200), server_default="", nullable=False),
        sa.Column("modality", sa.String(length=64), server_default="", nullable=False),
        sa.Column("study_date", sa.String(length=10), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("held_reason", sa.String(length=64), server_default="", nullable=False),
        sa.Column("received", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("revision", sa.String(length=64), nullable=True),
        sa.Column("instances", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("series", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_shown", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('arriving', 'available', 'held', 'withdrawn')", name=op.f("ck_study_state")),
        sa.ForeignKeyConstraint(["hospital", "visit_id"], ["visit.hospital", "visit.id"], name=op.f("fk_study_hospital_visit_id")),
        sa.PrimaryKeyConstraint("hospital", "study_key", name=op.f("pk_study")),
    )
    op.create_index("ix_study_accession", "study", ["hospital", "accession_number"], unique=False)
    op.create_index("ix_study_uid", "study", ["hospital", "study_instance_uid"], unique=False)
    op.create_index("ix_study_visit", "study", ["hospital", "visit_id"], unique=False)
    op.create_table(
        "revision",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("manifest", sa.String(length=200), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("letter_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital", "study_key"], ["study.hospital", "study.study_key"], name=op.f("fk_revision_hospital_study_key")
        ),
        sa.PrimaryKeyConstraint("hospital", "study_key", "revision", name=op.f("pk_revision")),
    )
    op.create_table(
        "stack",
        sa.Column("hospital", sa.String(length=32), nullable=False),
        sa.Column("study_key", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("content_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("modality", sa.String(length=16), server_default="", nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("frames", sa.Text(), nullable=False),
        sa.Column("keyframe", sa.Text(), nullable=False),
        sa.Column("thumb", sa.Text(), nullable=False),
        sa.Column("preview_key", sa.String(length=200), nullable=False),
        sa.Column("preview_size", sa.BigInteger(), nullable=False),
        sa.Column("preview_sha256", sa.String(length=64), nullable=False),
        sa.Column("exact_key", sa.String(length=200), nullable=False),
        sa.Column("exact_size", sa.BigInteger(), nullable=False),
        sa.Column("exact_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital", "study_key", "revision"],
            ["revision.hospital", "revision.study_key", "revision.revision"],
            name=op.f("fk_stack_hospital_study_key_revision"),
        ),
        sa.PrimaryKeyConstraint("hospital", "study_key", "revision", "position", name=op.f("pk_stack")),
    )
    op.create_index("ix_stack_id", "stack", ["hospital", "id"], unique=False)

    for table in APPEND_ONLY:
        _append_only(table)


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
