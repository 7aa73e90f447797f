"""Money is an integer of fen (1 yuan = 100 fen). Never a float."""

import re


class AmountWrong(ValueError):
    """A text that is not an exact amount; the text of the error quotes it."""


def parse_yuan(text: str) -> int:
    """Fen of "12", "12.0", "12.00", "-5.5"; raises AmountWrong for anything else, also for a third decimal."""
    found = re.fullmatch(r"\s*(-?)([0-9]{1,12})(?:\.([0-9]{1,2}))?\s*", text)
    if not found:
        raise AmountWrong(f"{text!r} is not an amount in yuan with at most two decimals")
    sign, yuan, fen = found.groups()
    amount = int(yuan) * 100 + int((fen or "0").ljust(2, "0"))
    return -amount if sign else amount


def format_yuan(fen: int) -> str:
    """ "10.00", "-5.00": plain digits, as in a spreadsheet."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
