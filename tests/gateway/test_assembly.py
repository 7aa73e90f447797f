"""When a study is finished."""

import pytest

from cloudfilm.gateway.assembly import Seen, finished
from cloudfilm.gateway.outbox import PAUSE_LONGEST_S, next_pause


def seen(instances: int = 5, quiet_s: float = 0.1, expected: int | None = None, published: tuple[int, int] | None = None) -> Seen:
    return Seen("k", instances, quiet_s, expected, published, 100)


@pytest.mark.parametrize(
    ("study", "due"),
    [
        (seen(quiet_s=9.9), False),  # something may still come
        (seen(quiet_s=10), True),  # quiet for long enough
        (seen(expected=5), True),  # all that was expected is there
        (seen(expected=6), False),
        (seen(expected=6, quiet_s=11), True),  # what does not come must not hold the rest back
        (seen(quiet_s=999, published=(100, 5)), False),  # published as it lies
        (seen(6, 5, published=(90, 5)), False),
        (seen(6, 10, published=(90, 5)), True),  # a late image
        (seen(6, 5, expected=6, published=(90, 5)), False),  # more may be late
        (seen(0, 999), False),
    ],
)
def test_a_study_is_finished_when_quiet_or_complete(study: Seen, due: bool) -> None:
    assert finished(study, quiet_s=10) is due


def test_pauses_grow_and_have_an_end() -> None:
    assert [next_pause(tries, 1.0) for tries in range(4)] == [1, 2, 4, 8]
    assert next_pause(30, 1.0) == PAUSE_LONGEST_S
    assert 0.5 <= next_pause(0, 0.0) <= next_pause(0, 1.0)
