"""How far a visit's examinations are: from orders, studies and reports to the words of the status line. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloudfilm.domain.sidecar import Status
from cloudfilm.records.reports import Report
from cloudfilm.records.stacks import StackLine
from cloudfilm.records.studies import State, Study
from cloudfilm.records.visits import ImagingOrder


class Stage(StrEnum):
    """Stages of one examination, and of the visit: the least of what is shown."""

    WAIT = "wait"  # no image yet
    UPLOAD = "upload"  # images arriving, nothing published
    PENDING = "pending"  # images ready, report not signed
    READY = "ready"
    REPORT = "report"  # report signed, images not here
    CHECKING = "checking"  # held or withdrawn: a person is looking


@dataclass(frozen=True, slots=True)
class Exam:
    """One examination of the visit. `stacks` of the shown revision; `images` in all of them; `received` of `expected` while arriving."""

    title: str
    accession_number: str
    date: str
    stage: Stage
    stacks: tuple[StackLine, ...]
    received: int
    expected: int | None
    not_shown: int

    @property
    def images(self) -> int:
        return sum(stack.count for stack in self.stacks)


@dataclass(frozen=True, slots=True)
class ReportCard:
    """The version in force of one report, and the older ones that were shown; `amended`: it replaced one that patients saw."""

    report: Report
    older: tuple[Report, ...]

    @property
    def amended(self) -> bool:
        return bool(self.older)


def _subjects(study: Study) -> set[str]:
    return {study.accession_number, f"uid:{study.study_instance_uid}"} - {""}


def report_cards(versions: Sequence[Report], studies: Iterable[Study]) -> list[ReportCard]:
    """What patients read: per subject the newest signed version, nothing after a retraction, nothing of a study that is held or withdrawn.

    `versions`: newest first within each subject, as records.reports.of_visit gives them.
    """
    studies = list(studies)
    dark = {s for study in studies if study.state in (State.HELD, State.WITHDRAWN) for s in _subjects(study)}
    dark -= {s for study in studies if study.state == State.AVAILABLE for s in _subjects(study)}
    cards = []
    for subject in dict.fromkeys(report.subject for report in versions):
        mine = [report for report in versions if report.subject == subject]
        decided = [report for report in mine if Status(report.status).shown or report.status == Status.RETRACTED]
        if subject in dark or not decided or decided[0].status == Status.RETRACTED:
            continue
        shown = [report for report in decided if Status(report.status).shown]
        cards.append(ReportCard(shown[0], tuple(shown[1:])))
    return cards


def exams(orders: Sequence[ImagingOrder], studies: Sequence[Study], lines: Sequence[StackLine], cards: Sequence[ReportCard]) -> list[Exam]:
    """Studies first (newest first), then orders that wait for theirs; cancelled orders without a study are left out."""
    titles = {order.accession_number: order.exam_name for order in orders}
    signed = {card.report.subject for card in cards}
    found = [_of_study(study, titles, lines, signed) for study in studies]
    with_study = {study.accession_number for study in studies}
    for order in orders:
        if order.accession_number not in with_study and order.cancelled_at is None:
            stage = Stage.REPORT if order.accession_number in signed else Stage.WAIT
            found.append(Exam(order.exam_name, order.accession_number, "", stage, (), 0, order.expected_instances, 0))
    return found


def _of_study(study: Study, titles: dict[str, str], lines: Sequence[StackLine], signed: set[str]) -> Exam:
    if study.state in (State.HELD, State.WITHDRAWN):
        stage = Stage.CHECKING
    elif study.state == State.ARRIVING:
        stage = Stage.UPLOAD
    else:
        stage = Stage.READY if _subjects(study) & signed else Stage.PENDING
    return Exam(
        title=titles.get(study.accession_number) or study.description or study.modality,
        accession_number=study.accession_number,
        date=study.study_date,
        stage=stage,
        stacks=tuple(line for line in lines if line.study_key == study.study_key),
        received=study.received,
        expected=study.expected,
        not_shown=study.not_shown,
    )


_ORDER = (Stage.UPLOAD, Stage.PENDING, Stage.READY, Stage.REPORT, Stage.CHECKING, Stage.WAIT)


def overall(found: Sequence[Exam]) -> Stage:
    """The visit's stage: what moves first, then what is ready; WAIT when nothing is there."""
    return next((stage for stage in _ORDER if any(exam.stage is stage for exam in found)), Stage.WAIT)
