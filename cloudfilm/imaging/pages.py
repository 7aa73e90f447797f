"""A report PDF as page pictures and as text, by PDFium. Run in a child process: a PDF is a program from a stranger."""

import io

import pypdfium2
from PIL import Image

PAGES_MAX = 60
HEIGHT_MAX_PX = 8_000
TEXT_MAX = 200_000  # characters
_QUALITY = 82


class PdfUnreadable(Exception):
    """This is not a PDF that can be shown: damaged, locked with a password, or without pages."""


def pdf_pages(pdf: bytes, width_px: int = 1080) -> list[tuple[bytes, int, int]]:
    """-> [(WebP, width, height)], a page each, `width_px` wide. Raises PdfUnreadable."""
    with _opened(pdf) as document:
        out = []
        for index in range(min(len(document), PAGES_MAX)):
            try:
                page = document[index]
                wide, high = page.get_size()  # points
                if wide <= 0 or high <= 0:
                    raise PdfUnreadable("A page of the PDF has no size.")
                scale = min(width_px / wide, HEIGHT_MAX_PX / high)
                picture = page.render(scale=scale).to_pil().convert("RGB")
            except pypdfium2.PdfiumError as error:
                raise PdfUnreadable("A page of the PDF cannot be drawn.") from error
            out.append((_coded(picture), picture.width, picture.height))
        return out


def pdf_text(pdf: bytes) -> str:
    """The words of the PDF, pages apart by an empty line; "" for a scanned one. Raises PdfUnreadable."""
    with _opened(pdf) as document:
        pages: list[str] = []
        for index in range(min(len(document), PAGES_MAX)):
            try:
                words = document[index].get_textpage().get_text_bounded()
            except pypdfium2.PdfiumError as error:
                raise PdfUnreadable("A page of the PDF cannot be read.") from error
            pages.append("\n".join(line.rstrip() for line in words.splitlines()).strip("\n￾"))
            if sum(map(len, pages)) > TEXT_MAX:
                break
        return "\n\n".join(pages).strip()[:TEXT_MAX]


def _opened(pdf: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise PdfUnreadable("The PDF is damaged or locked with a password.") from error
    if not len(document):
        document.close()
        raise PdfUnreadable("The PDF has no pages.")
    return document


def _coded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=_QUALITY, method=4)
    return out.getvalue()
