"""Reports that come inside a study, and report PDFs."""

import io
from pathlib import Path

import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from weasyprint import HTML

from cloudfilm.imaging.pages import PdfUnreadable, pdf_pages, pdf_text
from cloudfilm.imaging.report import encapsulated_pdf, sr_text

from .samples import blank, saved

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return HTML(string="<p>CHEST CT REPORT</p><p style='break-before:page'>second page</p>").write_pdf()


def coded(meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", meaning
    return Sequence([item])


def content(kind: str, name: str, **values: object) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = "CONTAINS", kind, coded(name)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def test_a_text_sr_becomes_lines_in_its_own_order_and_character_set() -> None:
    observer = content("TEXT", "观察者", TextValue="Test Doctor")
    observer.RelationshipType = "HAS OBS CONTEXT"
    findings = content("CONTAINER", "影像所见", ContentSequence=Sequence([content("TEXT", "肺", TextValue="双肺清晰。")]))
    ds = blank(SOPClassUID=BASIC_TEXT_SR, SpecificCharacterSet="GB18030", Modality="SR")
    ds.ContentSequence = Sequence([observer, findings, content("CODE", "结论", ConceptCodeSequence=coded("未见异常"))])
    assert sr_text(saved(ds)) == "影像所见\n  肺：双肺清晰。\n结论：未见异常"


def test_what_is_no_sr_has_no_text() -> None:
    assert sr_text(saved(blank())) is None
    assert sr_text(saved(blank(SOPClassUID=BASIC_TEXT_SR))) is None
    assert sr_text(b"nonsense") is None


def test_an_encapsulated_pdf_comes_out_as_it_went_in(pdf: bytes) -> None:
    ds = blank(SOPClassUID=ENCAPSULATED_PDF, MIMETypeOfEncapsulatedDocument="application/pdf")
    ds.EncapsulatedDocument = pdf + b"\0" * (4 + len(pdf) % 2)
    ds.EncapsulatedDocumentLength = len(pdf)
    assert encapsulated_pdf(saved(ds)) == pdf
    ds.EncapsulatedDocument = b"no pdf at all."
    assert encapsulated_pdf(saved(ds)) is None
    assert encapsulated_pdf(saved(blank())) is None


def test_pages_are_pictures_of_the_width_asked_and_the_words_are_there(pdf: bytes) -> None:
    pages = pdf_pages(pdf, width_px=540)
    assert len(pages) == 2
    for coded_page, width, height in pages:
        assert Image.open(io.BytesIO(coded_page)).size == (width, height)
        assert abs(width - 540) <= 1
        assert 760 <= height <= 765  # A4: 540 * 297 / 210 = 763.7
    assert pdf_text(pdf).split() == ["CHEST", "CT", "REPORT", "second", "page"]


@pytest.mark.parametrize("bad", [b"", b"%PDF-1.7", b"<html>", b"\0" * 5000])
def test_a_broken_pdf_is_refused_in_a_sentence(bad: bytes) -> None:
    for read in (pdf_pages, pdf_text):
        with pytest.raises(PdfUnreadable, match=r"\.$"):
            read(bad)


def test_the_reports_of_the_collection_are_read(shared_data: Path) -> None:
    folder = shared_data / "variety/nonimage"
    assert "was detected." in (sr_text((folder / "sr_comprehensive.dcm").read_bytes()) or "")
    assert sr_text((folder / "ko_key_images.dcm").read_bytes()) is None
    inside = encapsulated_pdf((folder / "pdf_encapsulated.dcm").read_bytes())
    assert inside is not None
    assert "Dear Patient" in pdf_text(inside)
    demo = (shared_data / "demo-study-zh/report.pdf").read_bytes()
    assert "胸部CT增强" in pdf_text(demo)
    assert len(pdf_pages(demo)) == 1
