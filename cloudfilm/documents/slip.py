"""The slip (取片凭条) with its QR, on 80 mm thermal paper or A5. It says which question will be asked, never the answer."""

import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from cloudfilm.domain.challenge import Challenge

from . import qr

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "documents"
_FONTS = "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-wqy-microhei"


_BOX = "a slip shows a box for a character that no font of this machine has; run: apt-get install -y fonts-noto-cjk"


class _NamesNobody(logging.Filter):
    """WeasyPrint's warnings quote what is printed, so a rare character of a name would reach the log: only what happened may."""

    def filter(self, record: logging.LogRecord) -> bool:
        box = str(record.msg).startswith(".notdef")
        record.msg = _BOX if box else "a slip was laid out with a warning"
        record.args = ()
        return True


class CannotPrint(Exception):
    """The machine lacks what printing needs; the text is one sentence with the remedy."""


class Paper(StrEnum):
    """What the desk's printer holds."""

    ROLL_80MM = "80mm"
    A5 = "a5"


@dataclass(frozen=True, slots=True)
class Slip:
    """What stands on a slip. `name` is masked already; dates are shown as given; `code`: short text for the desk."""

    hospital: str
    phone: str
    name: str
    sex: str
    exams: tuple[str, ...]
    visit_date: str
    accession_numbers: tuple[str, ...]
    url: str
    challenge: Challenge
    pin: str  # '' unless a PIN was made just now: it is told apart, on a part that is torn off
    valid_until: str
    code: str
    printed: str


QUESTIONS = {
    Challenge.PHONE_LAST_4: ("输入登记手机号后 4 位", "Enter the last 4 digits of the registered phone"),
    Challenge.ID_LAST_6: ("输入证件号后 6 位", "Enter the last 6 characters of the ID number"),
    Challenge.ID_LAST_4: ("输入证件号后 4 位", "Enter the last 4 characters of the ID number"),
    Challenge.BIRTH_DATE: ("输入出生日期 8 位数字", "Enter the birth date, 8 digits"),
    Challenge.PIN: ("输入窗口告知的 6 位取片码", "Enter the 6-digit code told at the desk"),
}


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(("html",)), trim_blocks=True)


def html(slip: Slip, paper: Paper) -> str:
    """The slip as a page: what is printed, and what the desk sees before it prints."""
    question_zh, question_en = QUESTIONS[slip.challenge]
    page = _environment().get_template("slip.html")
    return page.render(s=slip, paper=paper.value, qr=Markup(qr.svg(slip.url)), question=question_zh, question_en=question_en)


def pdf(slip: Slip, paper: Paper) -> bytes:
    """The slip as PDF: A5, or 80 mm wide and as long as it needs. Raises CannotPrint."""
    document = _laid_out(html(slip, paper))
    if paper is Paper.ROLL_80MM:
        _cut_to_length(document)
    printed = bytes(document.write_pdf())
    _check_han(document)
    return printed


def _laid_out(page: str) -> Any:
    try:
        import weasyprint
    except OSError as error:
        raise CannotPrint(f"Printing needs Pango, which is not on this machine; run: {_FONTS}") from error
    log = logging.getLogger("weasyprint")
    if not any(isinstance(known, _NamesNobody) for known in log.filters):
        log.addFilter(_NamesNobody())
    return weasyprint.HTML(string=page).render()


def _check_han(document: Any) -> None:
    """Without a Chinese font WeasyPrint prints empty boxes and says nothing: see whether a font really drew the slip's title."""
    drawn = {character for font in document.fonts.values() for text in font.to_unicode.values() for character in text}
    if "凭" not in drawn:
        raise CannotPrint(f"No Chinese font is on this machine, so names would print as boxes; run: {_FONTS}")


def _cut_to_length(document: Any) -> None:
    """Make the one long page as high as its content. Reads WeasyPrint's own boxes (`_page_box`): kept in this one place."""
    page = document.pages[0]
    lowest = max((_bottom(box) for box in page._page_box.descendants() if getattr(box, "element_tag", "") == "main"), default=page.height)
    page.height = lowest
    document.pages[:] = [page]


def _bottom(box: Any) -> float:
    return float(box.position_y + box.margin_height())
