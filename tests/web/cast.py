"""A whole small installation for the pages: real records, real archive, filled by the real registrar from real letters.

The cast: 陈志远 (visit MZ1, a CT with a signed report), 林小雨 (MZ2, not examined yet), both at hospital h. All invented.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cloudfilm import clock, keys, settings
from cloudfilm.archive import layout, mailbox
from cloudfilm.archive.filesystem import FilesystemArchive
from cloudfilm.domain import letters, orders, token
from cloudfilm.domain.letters import Kind
from cloudfilm.domain.visitmail import order_body, visit_body
from cloudfilm.records import grants
from cloudfilm.records.database import open_database
from cloudfilm.registrar.loop import Registrar
from cloudfilm.web import create_app

WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")  # one pixel
URL = "http://127.0.0.1:8080"
PREVIEW = bytes(range(256)) * 40
EXACT = bytes(reversed(range(256))) * 8000  # over a megabyte: streamed
REPORT_PDF = b"%PDF-1.4\n% an invented report\n"
PHONE = {"MZ1": "13900000107", "MZ2": "13900000288"}


@dataclass(frozen=True)
class Link:
    """A link as printed, and what answers it."""

    grant_id: str
    text: str
    answer: str

    @property
    def path(self) -> str:
        return f"/v/{self.text}"

    @property
    def film(self) -> str:
        return f"/f/{self.grant_id}"


class Site:
    """One installation in a folder, its app, and letters from its hospital."""

    def __init__(self, home: Path, **environment: str) -> None:
        given = {"CLOUDFILM_HOME": str(home), "CLOUDFILM_HOSPITAL": "h", "CLOUDFILM_HOSPITAL_NAME": "明川市第一人民医院"}
        given |= {"CLOUDFILM_URL": URL, "CLOUDFILM_HOSPITAL_PHONE": "0000-6688 1200", **environment}
        self.settings = settings.read(given)
        self.keys = keys.load(home, None)
        self.archive = FilesystemArchive(home / "archive")
        self.database = open_database(self.settings.database)
        self.registrar = Registrar(self.settings, self.keys, self.archive, self.database)
        self.registrar.prepare()
        self.now = clock.now().replace(microsecond=0)
        self.app: Flask = create_app(self.settings, self.keys)

    def browser(self, **environ: str) -> "Browser":
        return Browser(self, self.app.test_client(), environ)

    def post(self, kind: Kind, body: dict[str, Any], at: datetime | None = None) -> None:
        """One letter, registered at once."""
        mailbox.post(self.archive, "h", layout.TO_CLOUD, letters.write(hospital="h", kind=kind, at=at or self.now, body=body))
        self.registrar.open_box()

    def put(self, key: str, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        self.archive.put(key, data, sha256)
        return sha256

    def order(self, visit: str = "MZ1", accession: str = "CT1", name: str = "陈志远", **changed: Any) -> None:
        raw = {
            "schema": orders.SCHEMA,
            "visit_id": visit,
            "patient_id": f"P{visit}",
            "name": name,
            "sex": "M",
            "birth_date": "1963-05-14",
            "visit_type": "门诊",
            "phone": PHONE.get(visit, ""),
            "accession": accession,
            "ordered_exam": {"name": "胸部 CT 增强", "modality": "CT"},
            "ordered_time": "2026-11-20T08:31:10+08:00",
            **changed,
        }
        order = orders.read(json.dumps(raw).encode())
        self.post(Kind.VISIT, visit_body(order, hospital="h", pepper=self.keys.pepper))
        self.post(Kind.ORDER, order_body(order))

    def link(self, visit: str = "MZ1", days: int = 180, number: int = 1) -> Link:
        """As the gateway mints it."""
        grant_id = hashlib.sha256(f"{visit}{number}".encode()).hexdigest()[:32]
        expires = self.now.replace(second=0) + timedelta(days=days)
        self.post(Kind.LINK_MINTED, {"grant_id": grant_id, "visit_id": visit, "key_id": 1, "expires_at": expires.isoformat()})
        return self.minted(grant_id, expires, PHONE.get(visit, "")[-4:])

    def minted(self, grant_id: str, expires: datetime, answer: str = "") -> Link:
        """A genuine token, whether or not anybody registered it."""
        return Link(grant_id, token.mint(grant_id=grant_id, expires_at=expires, key_id=1, key=self.keys.link[1]), answer)

    def study(self, visit: str = "MZ1", accession: str = "CT1", name: str = "陈志远", stacks: int = 2, title: str = "胸部 1.25mm") -> None:
        uid = f"1.2.826.0.1.3680043.8.498.{int.from_bytes(accession.encode()) % 10**9}"
        key = layout.study_key(self.keys.study, uid)
        content = hashlib.sha256(accession.encode()).hexdigest()
        exact = self.put(layout.exact("h", content), EXACT)
        preview = [self.put(layout.preview("h", content, n), PREVIEW) for n in range(stacks)]
        series = {
            "content_id": content,
            "exact": {"key": layout.exact("h", content), "size": len(EXACT), "sha256": exact},
            "instances": [{"at": 0, "frames": [[10, 5, -7, "jls", 0, 99], [15, 5, -7, "jls", 0, 98]]}],
            "stacks": [
                {
                    "n": n, "title": title, "modality": "CT", "count": 2, "key": 0, "keyframe": base64.b64encode(WEBP).decode(),
                    "thumb": base64.b64encode(WEBP).decode(), "table": list(range(-1024, 1024, 8)), "windows": [[40, 400, "LINEAR", ""]],
                    "kfrows": 1, "kfcols": 1, "rows": 1, "cols": 1, "prows": 1, "pcols": 1, "colour": False, "invert": False,
                    "letters": ["R", "L", "A", "P"],
                    "photometric": "MONOCHROME2", "bits": 16, "high": 15, "signed": True, "samples": 1, "slope": 1, "intercept": -1024,
                    "unit": "HU", "lut": None, "padding": None, "spacing": [0.7, 0.7], "spacing_source": "pixel spacing", "aspect": 1.0,
                    "thickness": 1.25, "gap": 1.25, "even": True, "order": "position", "orientation": [1, 0, 0, 0, 1, 0],
                    "lossy": False, "frame_ms": None,
                    "preview": {"key": layout.preview("h", content, n), "size": len(PREVIEW), "sha256": preview[n]},
                    "frames": [[0, 0, 1.5, 1, -1024], [0, 1, 2.5, 1, -1024]],
                }
                for n in range(stacks)
            ],
        }  # fmt: skip
        manifest = {"hospital": "h", "study_key": key, "revision": content, "series": [series]}
        name_of_manifest = layout.manifest("h", key, content)
        self.put(name_of_manifest, json.dumps(manifest).encode())
        self.post(
            Kind.STUDY_PUBLISHED,
            {
                "study_key": key, "study_instance_uid": uid, "accession_number": accession, "patient_id": f"P{visit}",
                "patient_name": name, "study_date": "2026-11-20", "description": "Chest", "modality": "CT", "series": stacks,
                "revision": content, "manifest": name_of_manifest, "instances": 2, "bytes": len(EXACT), "not_shown": 0,
            },
        )  # fmt: skip

    def arriving(self, received: int, expected: int | None, visit: str = "MZ1", accession: str = "CT1") -> None:
        uid = f"1.2.826.0.1.3680043.8.498.{int.from_bytes(accession.encode()) % 10**9}"
        self.post(
            Kind.STUDY_ARRIVING,
            {
                "study_key": layout.study_key(self.keys.study, uid), "study_instance_uid": uid, "accession_number": accession,
                "patient_id": f"P{visit}", "patient_name": "陈志远", "study_date": "2026-11-20", "modality": "CT",
                "received": received, "expected": expected,
            },
        )  # fmt: skip

    def report(self, visit: str = "MZ1", accession: str = "CT1", status: str = "final", minutes: int = 0, **changed: Any) -> str:
        """Returns the report's public id."""
        words = {
            "impression": "1. 右肺上叶小结节，建议随访。\n2. 纵隔未见肿大淋巴结。",
            "findings": "胸廓对称。\n右肺上叶见结节。",
            "exam": "胸部 CT 增强",
            "reporting_doctor": "李清",
            "reviewing_doctor": "周敏",
            **changed,
        }
        content = hashlib.sha256(json.dumps([words, status]).encode()).hexdigest()
        pdf = REPORT_PDF + content.encode()
        key = layout.report_pdf("h", hashlib.sha256(pdf).hexdigest())
        self.put(key, pdf)
        page = layout.report_page("h", hashlib.sha256(pdf).hexdigest(), 1)
        self.put(page, WEBP)
        signed = self.now + timedelta(minutes=minutes)
        self.post(
            Kind.REPORT_PUBLISHED,
            {
                "accession_number": accession, "status": status, "content": content, "patient_id": f"P{visit}", "patient_name": "",
                "reported_at": signed.isoformat(), "signed_at": signed.isoformat(), "source": "sidecar",
                "pdf": {"key": key, "size": len(pdf)}, "pages": [{"key": page, "width": 1080, "height": 1527}], **words,
            },
            at=signed,
        )  # fmt: skip
        return content[:32]

    def revoke(self, link: Link) -> None:
        with self.database.write() as c:
            assert grants.revoke(c, "h", link.grant_id, reason="desk", now=clock.now())

    def grant(self, link: Link) -> grants.Grant:
        with self.database.read() as c:
            found = grants.find(c, link.grant_id)
        assert found is not None
        return found


class Browser:
    """A visitor with a cookie jar. Forms are filled as a browser does: hidden fields come from the page that was shown."""

    def __init__(self, site: Site, client: FlaskClient, environ: dict[str, str]) -> None:
        self.site, self.client, self.environ = site, client, environ

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=self.site.settings.url, headers=headers, environ_base=self.environ)

    def submit(self, page: str, action: str, **fields: str) -> TestResponse:
        shown = self.get(page).text
        found = re.search(r'name="csrf" value="([^"]+)"', shown)
        data = {**fields, "csrf": found[1] if found else ""}
        return self.client.post(action, base_url=self.site.settings.url, data=data, environ_base=self.environ)

    def answer(self, link: Link, answer: str | None = None) -> TestResponse:
        return self.submit(link.path, link.path, answer=link.answer if answer is None else answer)

    def opened(self, link: Link) -> "Browser":
        """This browser after the right answer."""
        assert self.answer(link).status_code == 303
        return self
