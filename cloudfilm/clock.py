"""The one door to the time of day. Times are aware and UTC; a hospital's zone is used only when shown."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, UTC, whole microseconds."""
    return datetime.now(UTC)
