"""Every key's name. Keys name nobody: hashes and counters only."""

import hashlib
import hmac

TO_CLOUD = "to-cloud"
TO_GATEWAY = "to-gateway"


def study_key(key: bytes, study_instance_uid: str) -> str:
    """Keyed hash (32 hex) of a Study Instance UID: a listing of the bucket names nobody."""
    return hmac.new(key, study_instance_uid.encode(), hashlib.sha256).hexdigest()[:32]


def exact(hospital: str, content_id: str) -> str:
    return f"{hospital}/series/{content_id}.exact"


def preview(hospital: str, content_id: str, n: int) -> str:
    return f"{hospital}/series/{content_id}-{n}.preview"


def series_entry(hospital: str, content_id: str) -> str:
    """The series' part of a manifest, kept beside its objects: a series that is there need not be built again."""
    return f"{hospital}/series/{content_id}.json"


def reports(hospital: str) -> str:
    return f"{hospital}/reports/"


def report_pdf(hospital: str, sha256: str) -> str:
    return f"{hospital}/reports/{sha256}.pdf"


def report_page(hospital: str, sha256: str, page: int) -> str:
    """Picture of a page; `page` counts from 1."""
    return f"{hospital}/reports/{sha256}-{page}.webp"


def manifest(hospital: str, study: str, revision: str) -> str:
    return f"{hospital}/studies/{study}/{revision}.json"


def manifests(hospital: str) -> str:
    return f"{hospital}/studies/"


def mail(hospital: str, box: str) -> str:
    return f"{hospital}/mail/{box}/"


def letter(hospital: str, box: str, at: str, letter_id: str) -> str:
    """`at`: sortable time, digits only, so that a listing is in order."""
    return f"{mail(hospital, box)}{at}-{letter_id[:32]}.json"


def filed(key: str) -> str:
    """Where a letter lies once it is applied."""
    hospital, _, box, name = key.split("/", 3)
    return f"{hospital}/filed/{box}/{name}"


def journal_prefix(hospital: str) -> str:
    return f"{hospital}/journal/"


def journal_checkpoint(hospital: str, day: str, number: int) -> str:
    return f"{journal_prefix(hospital)}{day}/{number:012d}.json"
