"""Whether a study belongs to the visit that its accession number names (DOMAIN.md 0, 5: wrong-patient events)."""

from cloudfilm.domain.person import same_person_name
from cloudfilm.records.visits import Visit


def contradiction(visit: Visit, *, patient_id: str, patient_name: str) -> str:
    """'' when study and visit can be one person's; else why a person must look: 'patient-id' or 'patient-name'."""
    if visit.patient_id and patient_id and visit.patient_id != patient_id:
        return "patient-id"
    if not same_person_name(visit.name, patient_name):
        return "patient-name"
    return ""
