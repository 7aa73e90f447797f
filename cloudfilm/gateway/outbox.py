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

PAUSE_S, PAUSE_LONGEST_S = 1.0, 300.0


def next_pause(tries: int, jitter: float) -> float:
    """Seconds until the next try after `tries` failures; `jitter` in 0..1 spreads it between half and the whole."""
    return min(PAUSE_LONGEST_S, PAUSE_S * 2**tries) * (0.5 + jitter / 2)


def post_due(book: Book, archive: Archive, hospital: str) -> int:
    """Post the letters that are due; returns how many left. An archive that is away postpones them, nothing is lost."""
    gone = 0
    for waiting in book.due(time.time()):
        try:
            mailbox.post(archive, hospital, layout.TO_CLOUD, letters.read(waiting.data))
        except (ArchiveUnavailable, ArchiveRefused) as error:
            pause = next_pause(waiting.tries, random.random())
            log.warning("a letter could not be posted yet", extra={"why": str(error), "pause_s": round(pause, 1)})
            book.postpone(waiting.id, time.time() + pause)
            return gone
        book.posted(waiting.id, clock.now())
        gone += 1
    return gone
