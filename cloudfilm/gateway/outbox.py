"""Letters out of the hospital: at least once, oldest first, waited for with growing pauses and jitter."""

import logging
import random
import time

from cloudfilm import clock
from cloudfilm.archive import layout, mailbox
from cloudfilm.archive.contract import Archive, ArchiveRefused, ArchiveUnavailable
from cloudfilm.domain import letters

from .book import Book

log = logging.getLogger(__name__)

PAUSE_S, PAUSE_LONGEST_S = 1.0, 60.0


def next_pause(tries: int, jitter: float) -> float:
    """Seconds until the next try after `tries` failures; `jitter` in 0..1 spreads it between half and the whole."""
    return min(PAUSE_LONGEST_S, PAUSE_S * 2 ** min(tries, 20)) * (0.5 + jitter / 2)


class Outbox:
    """Posts what the book holds. While the archive is away, one letter is tried at each pause; nothing is lost, nobody overtakes."""

    def __init__(self, book: Book, archive: Archive, hospital: str) -> None:
        self._book, self._archive, self._hospital = book, archive, hospital
        self._failures, self._not_before = 0, 0.0  # of the archive; monotonic

    def post_due(self) -> int:
        """Post the letters that are due, oldest first; returns how many left."""
        gone = 0
        if time.monotonic() < self._not_before:
            return gone
        for waiting in self._book.due(time.time()):
            try:
                mailbox.post(self._archive, self._hospital, layout.TO_CLOUD, letters.read(waiting.data))
            except ArchiveUnavailable as error:
                pause = next_pause(self._failures, random.random())
                self._failures, self._not_before = self._failures + 1, time.monotonic() + pause
                log.warning("letters wait for the archive", extra={"why": str(error), "pause_s": round(pause, 1)})
                return gone
            except (ArchiveRefused, letters.LetterWrong) as error:  # this letter's own matter: the others go on
                log.error("a letter is not taken by the archive; a person must look", extra={"letter": waiting.id[:16], "why": str(error)})
                self._book.postpone(waiting.id, time.time() + next_pause(waiting.tries, random.random()))
                continue
            self._failures = 0
            self._book.posted(waiting.id, clock.now())
            gone += 1
        return gone
