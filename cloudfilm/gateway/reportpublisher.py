"""Reports to the archive: the PDF, a picture of each page, and one letter a version."""

import hashlib
import logging
import threading
from pathlib import Path
from typing import Any

from cloudfilm import clock
from cloudfilm.archive import layout
from cloudfilm.archive.contract import Archive, ArchiveRefused, sha256_of
from cloudfilm.domain import letters, sidecar
from cloudfilm.imaging.header import Header
from cloudfilm.settings import Settings

from . import workers
from .book import Book
from .spool import Spool

log = logging.getLogger(__name__)


class ReportPublisher:
    """Publishes what lies under spool/reports and what comes inside studies."""

    def __init__(self, settings: Settings, archive: Archive, spool: Spool, book: Book, stop: threading.Event) -> None:
        self._settings, self._archive, self._spool, self._book, self._stop = settings, archive, spool, book, stop
        self._done: set[str] = set()  # what the book says is published: it is not asked at each beat

    def publish_waiting(self) -> None:
        """Publish each report of the spool that was not published before."""
        for folder in sorted(self._spool.reports.iterdir()):
            if folder.name in self._done or not (folder / "sidecar.json").exists():
                continue
            if not self._book.report_done(folder.name):
                try:
                    self._publish(folder)
                except (ArchiveRefused, sidecar.SidecarWrong) as error:  # a person must act on this one; the others go on
                    log.error("a report cannot be published", extra={"report": folder.name[:16], "why": str(error)})
            self._done.add(folder.name)

    def _publish(self, folder: Path) -> None:
        words = sidecar.read((folder / "sidecar.json").read_bytes())
        pdf = folder / "report.pdf"
        stored, pages = self._store_pdf(pdf) if pdf.exists() else (None, [])
        body = {
            "accession_number": words.accession_number,
            "visit_id": words.visit_id,
            "study_instance_uid": words.study_instance_uid,
            "patient_id": words.patient_id,
            "patient_name": words.patient_name,
            "status": words.status.value,
            "exam": words.exam,
            "department": words.department,
            "findings": words.findings,
            "impression": words.impression,
            "text": "",
            "reporting_doctor": words.reporting_doctor,
            "reviewing_doctor": words.reviewing_doctor,
            "reported_at": words.reported_at,
            "signed_at": words.signed_at,
            "source": "sidecar",
            "pdf": stored,
            "pages": pages,
            "content": words.content(stored["sha256"] if stored else ""),
        }
        self._post(folder.name, body)

    def publish_embedded(self, path: Path, header: Header) -> None:
        """A report that came as an instance: Encapsulated PDF or text SR. What has no words and no PDF is only kept."""
        identity = "dicom-" + path.name.removesuffix(".dcm").rpartition(".")[2]
        if self._book.report_done(identity):
            return
        try:
            with self._spool.scratch() as scratch:
                found = workers.run(workers.embedded_report, str(path), str(scratch), seconds=workers.REPORT_SECONDS, stop=self._stop)
                stored, pages = self._store_pdf(scratch / "report.pdf") if found["pdf"] else (None, [])
        except workers.ChildFailed as error:
            log.error("a report inside a study could not be read; it is kept as received", extra={"why": str(error)})
            return
        if not found["pdf"] and not found["text"]:
            return
        body = {
            "accession_number": header.accession_number,
            "visit_id": "",
            "study_instance_uid": header.study_instance_uid,
            "patient_id": header.patient_id,
            "patient_name": header.patient_name,
            "status": "final",
            "exam": header.study_description,
            "department": "",
            "findings": "",
            "impression": "",
            "text": found["text"],
            "reporting_doctor": "",
            "reviewing_doctor": "",
            "reported_at": "",
            "signed_at": "",
            "source": "encapsulated" if found["pdf"] else "sr",
            "pdf": stored,
            "pages": pages,
            "content": hashlib.sha256(f"{found['text']}\0{stored['sha256'] if stored else ''}".encode()).hexdigest(),
        }
        self._post(identity, body)

    def _store_pdf(self, pdf: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The PDF and pictures of its pages in the archive. A PDF that cannot be drawn is still kept and can be downloaded."""
        sha256, hospital = sha256_of(pdf), self._settings.hospital
        key = layout.report_pdf(hospital, sha256)
        self._archive.put(key, pdf, sha256)
        stored = {"key": key, "sha256": sha256, "size": pdf.stat().st_size}
        pages = []
        try:
            with self._spool.scratch() as scratch:
                drawn = workers.run(workers.report_pages, str(pdf), str(scratch), seconds=workers.REPORT_SECONDS, stop=self._stop)
                for n, size in enumerate(drawn, start=1):
                    page = layout.report_page(hospital, sha256, n)
                    self._put_page(page, scratch / f"{n}.webp")
                    pages.append({"key": page, **size})
        except workers.ChildFailed as error:
            log.error("a report's pages could not be drawn; the PDF can be downloaded", extra={"why": str(error)})
        return stored, pages

    def _put_page(self, key: str, picture: Path) -> None:
        """A picture of this very page that another version of PDFium drew earlier serves as well: it stays."""
        try:
            self._archive.put(key, picture, sha256_of(picture))
        except ArchiveRefused:
            self._archive.stat(key)

    def _post(self, identity: str, body: dict[str, Any]) -> None:
        now = clock.now()
        letter = letters.write(hospital=self._settings.hospital, kind=letters.Kind.REPORT_PUBLISHED, at=now, body=body)
        with self._book.change() as c:
            self._book.post(c, letter)
            self._book.note_report(c, identity, now)
        log.info("report published", extra={"source": body["source"]})
