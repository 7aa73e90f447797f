"""kill -9 before and after each write to the archive: after the next start the same objects, one study letter's worth, one report."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cloudfilm.archive import layout
from cloudfilm.domain.letters import Kind
from cloudfilm.gateway.book import Book
from cloudfilm.gateway.intake import Intake, What
from cloudfilm.gateway.spool import Spool
from tests.installation import ROOT

from .hospital import Hospital, slices
from .test_publish import _encapsulated

PUBLISH = """
import os, signal, sys
from pathlib import Path
from cloudfilm.gateway.book import Book
from cloudfilm.gateway.outbox import Outbox
from cloudfilm.gateway.publisher import Publisher
from cloudfilm.gateway.spool import Spool
from cloudfilm.gateway.status import Status
from tests.gateway.hospital import Hospital

class Deadly:
    def __init__(self, real, at, after):
        self._real, self._left, self._after = real, at, after
    def __getattr__(self, name):
        return getattr(self._real, name)
    def put(self, *what):
        if self._left == 0 and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        self._real.put(*what)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

if __name__ == "__main__":
    hospital = Hospital(Path(sys.argv[1]))
    archive = Deadly(hospital.archive, int(sys.argv[2]), sys.argv[3] == "after")
    spool = Spool(hospital.spool)
    spool.sweep()
    book = Book(hospital.spool / "book.sqlite")
    publisher = Publisher(hospital.settings, hospital.keys, archive, spool, book, Status(hospital.settings.home))
    for key, count, mtime in spool.changed(book.all_published()):
        publisher.publish(key, (mtime, count))
    publisher.publish_reports()
    Outbox(book, archive, "h").post_due()
    publisher.close()
    print(-archive._left)
"""


def publish(home: Path, kill_at: int, when: str) -> int:
    """Publish what lies in the spool; killed at that write (-1: never). How many writes there were, or -9 when killed."""
    script = home.parent / "publish.py"
    script.write_text(PUBLISH)
    call = [sys.executable, str(script), str(home), str(kill_at), when]
    done = subprocess.run(call, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode or int(done.stdout) - 1


def ended(home: Path) -> tuple[dict[str, str], list[str], int]:
    """Objects with their hashes, revisions told, and how many different reports told."""
    hospital = Hospital(home)
    prefix = layout.mail("h", layout.TO_CLOUD)
    objects = {key: hospital.archive.stat(key).sha256 for key in hospital.archive.list("h/") if not key.startswith(prefix)}
    studies, reports = hospital.mail(Kind.STUDY_PUBLISHED), hospital.mail(Kind.REPORT_PUBLISHED)
    assert not list((hospital.spool / "encoding").iterdir()) and not list((hospital.spool / "incoming").rglob("*.dcm"))
    return objects, sorted({x.body["revision"] for x in studies}), len({x.body["content"] for x in reports})


@pytest.mark.timeout(600)
def test_killed_at_any_write_to_the_archive_it_ends_the_same(tmp_path: Path) -> None:
    home = tmp_path / "calm" / "home"
    hospital = Hospital(home)
    spool = Spool(hospital.spool)
    intake = Intake(hospital.settings, hospital.keys, spool, Book(hospital.spool / "book.sqlite"))
    for path in [*slices(tmp_path / "sent", 2), _encapsulated(tmp_path / "pdf.dcm")]:
        assert intake.take_path(path).what is What.INSTANCE
    spool.close()
    shutil.copytree(home, tmp_path / "received")
    writes = publish(home, -1, "never")
    wanted = ended(home)
    assert writes >= 8 and len(wanted[1]) == 1 and wanted[2] == 1
    for at in range(writes):
        when = ("before", "after")[at % 2]
        shaken = tmp_path / f"{when}-{at}" / "home"
        shutil.copytree(tmp_path / "received", shaken)
        assert publish(shaken, at, when) == -9
        publish(shaken, -1, "never")
        assert ended(shaken) == wanted, f"killed {when} write {at}"
