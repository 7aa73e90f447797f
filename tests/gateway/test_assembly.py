"""When a study is finished."""

import pytest

from cloudfilm.gateway.assembly import Seen, finished
from cloudfilm.gateway.outbox import PAUSE_LONGEST_S, next_pause


def seen(instances: int = 5, last: float = 100.0, expected: int | None = None, published: tuple[int, int] | None = None) -> Seen:
    return Seen("k", instances, last, expected, published, int(last * 1e9))


@pytest.mark.parametrize(
    ("study", "now", "due"),
    [
        (seen(), 109.9, False),  # something may still come
        (seen(), 110.0, True),  # quiet for long enough
        (seen(expected=5), 100.1, True),  # all that was expected is there
        (seen(expected=6), 100.1, False),
        (seen(expected=6), 111.0, True),  # what does not come must not hold the rest back
        (seen(published=(int(100e9), 5)), 999.0, False),  # published as it lies
        (seen(6, 200.0, published=(int(100e9), 5)), 205.0, False),
        (seen(6, 200.0, published=(int(100e9), 5)), 210.0, True),  # a late image
        (seen(0), 999.0, False),
    ],
)
def test_a_study_is_finished_when_quiet_or_complete(study: Seen, now: float, due: bool) -> None:
    assert finished(study, now=now, quiet_s=10) is due


def test_pauses_grow_and_have_an_end() -> None:
    assert [next_pause(tries, 1.0) for tries in range(4)] == [1, 2, 4, 8]
    assert next_pause(30, 1.0) == PAUSE_LONGEST_S
    assert 0.5 <= next_pause(0, 0.0) <= next_pause(0, 1.0)
