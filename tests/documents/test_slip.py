"""Slips as they come out of the printer: read back as a phone and a person would."""

import subprocess

import pypdfium2
import pytest
import zxingcpp

from cloudfilm.documents import qr
from cloudfilm.documents.slip import Paper, Slip, pdf
from cloudfilm.domain.challenge import Challenge

URL = "https://film.example.org/v/AQErT1BD5ooj8Edlg-ZqmoRSAcyUlqcQICNXGafSW277VyFneg4"


def a_slip(**changed: object) -> Slip:
    values: dict[str, object] = {
        "hospital": "青澜市中心医院",
        "phone": "0000-6688",
        "name": "沈*兰",
        "sex": "女",
        "exams": ("胸部CT平扫",),
        "visit_date": "2026-11-20",
        "accession_numbers": ("CT1",),
        "url": URL,
        "challenge": Challenge.PHONE_LAST_4,
        "pin": "",
        "valid_until": "2027-05-19",
        "code": "8QH2-7TKD",
        "printed": "2026-11-24 11:02",
    }
    return Slip(**{**values, **changed})  # type: ignore[arg-type]


def text_of(data: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("dpi", [72, 150, 203])
def test_the_qr_reads_back_from_the_printed_page(paper: Paper, dpi: int) -> None:
    page = pypdfium2.PdfDocument(pdf(a_slip(), paper))[0]
    found = zxingcpp.read_barcodes(page.render(scale=dpi / 72).to_pil())
    assert [code.text for code in found] == [URL]


def test_the_qr_stays_small_enough_for_a_receipt() -> None:
    assert qr.version(URL) <= 6


def test_the_roll_is_80_mm_wide_as_long_as_its_words_and_its_qr_44_mm() -> None:
    document = pypdfium2.PdfDocument(pdf(a_slip(), Paper.ROLL_80MM))
    width, height = (points * 25.4 / 72 for points in document[0].get_size())
    assert len(document) == 1
    assert (round(width), 120 < height < 260) == (80, True)
    code = zxingcpp.read_barcodes(document[0].render(scale=4).to_pil())[0]
    side = (code.position.top_right.x - code.position.top_left.x) / 4 * 25.4 / 72
    assert side >= 44


def test_a5_is_one_page() -> None:
    document = pypdfium2.PdfDocument(pdf(a_slip(pin="123456"), Paper.A5))
    assert len(document) == 1


@pytest.mark.parametrize("paper", Paper)
def test_the_question_is_printed_and_the_answer_is_not(paper: Paper) -> None:
    text = text_of(pdf(a_slip(), paper))
    assert "登记手机号后 4 位" in text
    assert "不作为诊断依据" in text
    assert "2027-05-19" in text


def test_many_long_exams_stay_on_one_a5_page_above_its_foot() -> None:
    exams = tuple(f"{n} 胸部 CT 平扫（低剂量，含薄层重建）及冠状位、矢状位多平面重组" for n in range(1, 7))
    document = pypdfium2.PdfDocument(pdf(a_slip(exams=exams, accession_numbers=tuple(f"CT20261120-018{n}" for n in range(6))), Paper.A5))
    assert len(document) == 1
    page = document[0].get_textpage()
    text = page.get_text_range()
    assert "等 6 项" in text
    last, foot = (page.get_charbox(text.index(words))[1] for words in ("旧凭条立即作废", "影像服务热线"))
    assert last > foot + 10  # points, from the bottom


def test_a_character_that_no_font_has_is_told_to_the_operator_without_naming_it(caplog: pytest.LogCaptureFixture) -> None:
    pdf(a_slip(name="\U0003fffd*"), Paper.A5)  # no font ever has a noncharacter
    assert "fonts-noto-cjk" in caplog.text
    assert "\U0003fffd" not in caplog.text


def test_a_rare_character_is_drawn_where_a_font_has_it(caplog: pytest.LogCaptureFixture) -> None:
    if not subprocess.run(["fc-list", ":charset=2c386"], capture_output=True, check=False).stdout:
        pytest.skip("NOT RUN: no font with the rare character 𬎆 is installed (apt-get install fonts-noto-cjk)")
    pdf(a_slip(name="𬎆*"), Paper.A5)
    assert "fonts-noto-cjk" not in caplog.text


def test_markup_in_a_name_is_text_and_a_rare_character_is_kept() -> None:
    text = text_of(pdf(a_slip(name="<b>王</b>", exams=("<script>x</script>",), hospital="𬎆城医院"), Paper.A5))
    assert "<b>王</b>" in text
    assert "<script>x</script>" in text
    assert "𬎆城医院" in text


def test_a_page_without_chinese_glyphs_is_refused() -> None:
    from cloudfilm.documents import slip

    document = slip._laid_out("<p style='font-family:monospace'>only Latin")
    document.write_pdf()
    with pytest.raises(slip.CannotPrint, match="fonts-wqy-microhei"):
        slip._check_han(document)
