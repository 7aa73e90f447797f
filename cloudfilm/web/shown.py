"""How dates, ages and sizes are shown: the hospital's zone, the page's language."""

from datetime import date, datetime, timedelta

from flask import Flask

from cloudfilm import clock
from cloudfilm.domain.money import format_yuan

from .installation import here
from .language import language


def local(moment: datetime) -> datetime:
    """In the hospital's zone."""
    return moment.astimezone(here().settings.timezone)


def day(value: datetime | date | None) -> str:
    """2026-11-20; in English 20 Nov 2026; '' for None."""
    if value is None:
        return ""
    shown = local(value).date() if isinstance(value, datetime) else value
    return f"{shown.day} {shown:%b %Y}" if language() == "en" else shown.isoformat()


def moment(value: datetime | None) -> str:
    """Day and minute; '' for None."""
    return f"{day(value)} {local(value):%H:%M}" if value else ""


def yuan(fen: int) -> str:
    """¥ 10.00"""
    return ("-" if fen < 0 else "") + f"¥\u00a0{format_yuan(abs(fen))}"


def amount(fen: int) -> str:
    """1,234.50: yuan in a column whose head says so."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def megabytes(size: int) -> str:
    """0.3 MB"""
    return f"{max(size / 1e6, 0.1):.1f}\u00a0MB"


def days_ago(value: datetime) -> int:
    """0 today, 1 yesterday, in the hospital's zone."""
    return (local(clock.now()).date() - local(value).date()) // timedelta(days=1)


def show(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(day=day, moment=moment, yuan=yuan, amount=amount, megabytes=megabytes, days_ago=days_ago, local=local)
