"""QR codes of links, level M (15 % may be damaged: thermal paper fades, receipts fold)."""

import io
from typing import Any

QUIET = 4  # modules of white around, as the standard wants (ISO/IEC 18004 9.1)


def _code(text: str) -> Any:
    import qrcode  # brings Pillow along, which a worker that shows films does not need
    from qrcode.constants import ERROR_CORRECT_M

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return code


def svg(text: str) -> str:
    """One <svg> with a viewBox and no size of its own: the style sheet says how large."""
    from qrcode.image.svg import SvgPathImage

    image = _code(text).make_image(image_factory=SvgPathImage)
    out = io.BytesIO()
    image.save(out)
    drawing = out.getvalue().decode()
    return drawing[drawing.index("<svg") :].replace("svg:", "")


def version(text: str) -> int:
    """QR version 1..40: the receipt's size stands on it (SECURITY.md 2: at most 6)."""
    return int(_code(text).version)
