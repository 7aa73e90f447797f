"""What an order becomes on its way out: the bodies of the letters `visit` and `order`, with answers turned into keyed hashes."""

from typing import Any

from .challenge import Challenge, digest
from .orders import Order, age_on
from .person import mask_phone


def visit_body(order: Order, *, hospital: str, pepper: bytes) -> dict[str, Any]:
    """Body of the `visit` letter (contracts.md 3). Digits of phone, ID and birth date do not leave the hospital."""
    answers = {
        Challenge.PHONE_LAST_4: order.phone[-4:],
        Challenge.ID_LAST_6: order.id_card_last6,
        Challenge.ID_LAST_4: order.id_card_last4,
        Challenge.BIRTH_DATE: order.birth_date,
    }
    proofs = {kind.value: digest(pepper, hospital, order.visit_id, kind, answer) for kind, answer in answers.items() if answer}
    day = order.ordered_at.date().isoformat()
    return {
        "visit_id": order.visit_id,
        "visit_type": order.visit_type,
        "patient_id": order.patient_id,
        "name": order.name,
        "sex": order.sex,
        "age": age_on(order.birth_date, day),
        "department": order.department,
        "receipt_no": order.receipt_no,
        "visit_date": day,
        "proofs": {kind: value for kind, value in proofs.items() if value},
        "phone_masked": mask_phone(order.phone),
    }


def order_body(order: Order) -> dict[str, Any]:
    """Body of the `order` letter."""
    return {
        "visit_id": order.visit_id,
        "order_id": order.order_id,
        "accession_number": order.accession_number,
        "exam_code": order.exam_code,
        "exam_name": order.exam_name,
        "modality": order.modality,
        "body_part": order.body_part,
        "department": order.department,
        "doctor": order.doctor,
        "ordered_at": order.ordered_at.isoformat(),
        "expected_instances": order.expected_instances,
    }
