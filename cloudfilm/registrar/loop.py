"""The registrar's round: open what is in the box, do the other due work, rest, again until told to stop."""

import hashlib
import json
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudfilm import clock
from cloudfilm.archive import layout, mailbox
from cloudfilm.archive.contract import Archive, ArchiveMissing, ArchiveRefused, ArchiveUnavailable
from cloudfilm.domain import letters as mail_form
from cloudfilm.domain.rates import read_cards
from cloudfilm.keys import Keys
from cloudfilm.records import hospitals, journal, mail, rates
from cloudfilm.records.database import Database
from cloudfilm.records.hospitals import Hospital
from cloudfilm.settings import Settings

from . import letters
from .ratefile import rate_card_text

log = logging.getLogger(__name__)

PAUSE_S = 0.5
PAUSE_LONGEST_S = 30.0
CHECKPOINT_EVERY = timedelta(seconds=60)
CHECKPOINT_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Round:
    """What one pass over the box did."""

    applied: int
    waiting: int
    held: int


class Registrar:
    """Applies the mail of one hospital's box to the records."""

    def __init__(self, settings: Settings, keys: Keys, archive: Archive, database: Database) -> None:
        self._settings, self._keys, self._archive, self._database = settings, keys, archive, database
        self._checkpoint_at: datetime | None = None

    def prepare(self) -> None:
        """Enter the hospital and its rate card; raises RateCardWrong."""
        s = self._settings
        with self._database.write() as c:
            hospitals.put(c, Hospital(s.hospital, s.hospital_name, s.hospital_phone, s.timezone.key))
            rates.put(c, s.hospital, read_cards(rate_card_text(s.rate_card)))

    def open_box(self) -> Round:
        """One pass over the unread letters, oldest first, repeated while letters make room for letters that wait for them."""
        applied = held = 0
        while True:
            before, waiting = applied, 0
            for key, data in mailbox.unread(self._archive, self._settings.hospital, layout.TO_CLOUD):
                outcome = self._open(key, data)
                applied += outcome == "applied"
                held += outcome == "held"
                waiting += outcome == "waiting"
            if waiting == 0 or applied == before:
                return Round(applied, waiting, held)

    def _open(self, key: str, data: bytes) -> str:
        now = clock.now()
        try:
            letter = mail_form.read(data)
            if letter.hospital != self._settings.hospital:
                raise mail_form.LetterWrong("the letter is another hospital's")
        except mail_form.LetterWrong as error:
            unreadable = hashlib.sha256(data).hexdigest()
            self._note(unreadable, "unreadable", now, now, "held", str(error))
            mailbox.file(self._archive, key)
            return "held"
        desk = letters.Desk(self._archive, self._keys, self._settings.timezone, self._settings.link_days, now)
        try:
            with self._database.write() as c:
                if not mail.known(c, letter.hospital, letter.id):
                    letters.apply(c, desk, letter)
                    mail.note(c, mail.Opened(letter.hospital, letter.id, letter.kind, letter.at, now, "applied", ""))
        except letters.NotYet:
            return "waiting"
        except (letters.MustBeHeld, ArchiveMissing, ArchiveRefused, ValueError, KeyError, TypeError) as error:
            reason = str(error) if isinstance(error, letters.MustBeHeld) else f"cannot be applied ({type(error).__name__})"
            log.error("letter held", exc_info=True, extra={"letter": letter.id, "kind": letter.kind, "reason": reason})
            self._note(letter.id, letter.kind, letter.at, now, "held", reason)
            mailbox.file(self._archive, key)
            return "held"
        mailbox.file(self._archive, key)
        return "applied"

    def _note(self, letter_id: str, kind: str, at: datetime, now: datetime, state: str, reason: str) -> None:
        with self._database.write() as c:
            mail.note(c, mail.Opened(self._settings.hospital, letter_id, kind[:32], at, now, state, reason[:200]))

    def checkpoint(self, *, force: bool = False) -> bool:
        """Sign the journal's heads when a minute or a thousand rows have passed; the copy in the archive is written first-come."""
        now = clock.now()
        due = self._checkpoint_at is None or now - self._checkpoint_at >= CHECKPOINT_EVERY
        with self._database.write() as c:
            if not (force or due or journal.rows_since_checkpoint(c) >= CHECKPOINT_ROWS):
                return False
            made = journal.checkpoint(c, self._keys.journal, now)
        self._checkpoint_at = now
        if made is None:
            return False
        data = json.dumps(made, sort_keys=True).encode()
        key = layout.journal_checkpoint(self._settings.hospital, now.date().isoformat(), int(str(made["number"])))
        self._archive.put(key, data, hashlib.sha256(data).hexdigest())
        return True


def run(settings: Settings, keys: Keys, archive: Archive, database: Database, stop: threading.Event) -> None:
    """Work until `stop` is set. An unreachable archive is waited for, longer each time, up to PAUSE_LONGEST_S."""
    registrar = Registrar(settings, keys, archive, database)
    registrar.prepare()
    pause = PAUSE_S
    while not stop.is_set():
        try:
            done = registrar.open_box()
            registrar.checkpoint()
            pause = PAUSE_S
            if done.applied or done.held:
                log.info("letters opened", extra={"applied": done.applied, "held": done.held, "waiting": done.waiting})
        except ArchiveUnavailable:
            log.warning("the archive cannot be reached; letters wait there, nothing is lost", extra={"pause_s": pause})
            pause = min(2 * pause, PAUSE_LONGEST_S)
        stop.wait(pause)
    registrar.checkpoint(force=True)
