"""Which studies are finished: nothing came for a while, or all that was expected is there. Pure; the caller looks and asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A study in the spool. `quiet_s`: how long nothing came; `published`: what the last publication saw, None before the first."""

    study_key: str
    instances: int
    quiet_s: float
    expected: int | None
    published: tuple[int, int] | None  # (mtime_ns, instances)
    mtime_ns: int


def finished(seen: Seen, *, quiet_s: float) -> bool:
    """Whether to publish now. A study that is published as it lies is never due again; a late image makes it due."""
    if seen.instances == 0 or seen.published == (seen.mtime_ns, seen.instances):
        return False
    if seen.published is None and seen.expected is not None and seen.instances >= seen.expected:
        return True
    return seen.quiet_s >= quiet_s
