"""The rate card's text: the hospital's own file, or the one that comes with the product (10.00 yuan a visit)."""

from pathlib import Path

from cloudfilm.domain.rates import RateCardWrong

_OURS = Path(__file__).with_name("rate_card.csv")


def rate_card_text(path: Path | None) -> str:
    """Text of the CSV; raises RateCardWrong when the hospital's file cannot be opened."""
    try:
        return (path or _OURS).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RateCardWrong(f"{path} cannot be read as UTF-8 CSV; check CLOUDFILM_RATE_CARD") from error
