"""Letters in any order, any number of times: the records end the same. Real archive, real database, no images."""

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudfilm import keys, settings
from cloudfilm.archive import layout, mailbox
from cloudfilm.archive.filesystem import FilesystemArchive
from cloudfilm.domain import letters, orders
from cloudfilm.domain.letters import Kind, Letter
from cloudfilm.domain.visitmail import order_body, visit_body
from cloudfilm.records import grants, ledger, mail, reports, stacks, studies, visits
from cloudfilm.records.database import Database, open_database
from cloudfilm.registrar.loop import Registrar

AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
UID = "1.2.826.0.1.3680043.8.498.1"


class Site:
    """One installation in a temporary folder, and a hospital that writes letters to it."""

    def __init__(self, home: Path) -> None:
        self.settings = settings.read({"CLOUDFILM_HOME": str(home), "CLOUDFILM_HOSPITAL": "h"})
        self.keys = keys.load(home, None)
        self.archive = FilesystemArchive(home / "archive")
        self.database: Database = open_database(self.settings.database)
        self.registrar = Registrar(self.settings, self.keys, self.archive, self.database)
        self.registrar.prepare()

    def post(self, *given: Letter) -> None:
        for letter in given:
            mailbox.post(self.archive, "h", layout.TO_CLOUD, letter)

    def order(self, accession: str = "CT1", visit: str = "MZ1", name: str = "陈志远", patient: str = "P1") -> tuple[Letter, Letter]:
        raw = {
            "schema": orders.SCHEMA,
            "visit_id": visit,
            "patient_id": patient,
            "name": name,
            "phone": "13900000107",
            "accession": accession,
            "ordered_time": "2026-11-20T08:31:10+08:00",
        }
        order = orders.read(json.dumps(raw).encode())
        body = visit_body(order, hospital="h", pepper=self.keys.pepper)
        return (
            letters.write(hospital="h", kind=Kind.VISIT, at=AT, body=body),
            letters.write(hospital="h", kind=Kind.ORDER, at=AT, body=order_body(order)),
        )

    def link(self, visit: str = "MZ1") -> Letter:
        body = {"grant_id": "0" * 31 + "1", "visit_id": visit, "key_id": 1, "expires_at": (AT + timedelta(days=180)).isoformat()}
        return letters.write(hospital="h", kind=Kind.LINK_MINTED, at=AT, body=body)

    def study(self, revision: str = "a", *, instances: int = 2, minutes: int = 0, accession: str = "CT1", **changed: object) -> Letter:
        uid = str(changed.pop("uid", UID))
        key, revision = layout.study_key(self.keys.study, uid), hashlib.sha256(revision.encode()).hexdigest()
        series = {
            "content_id": revision,
            "exact": {"key": layout.exact("h", revision), "size": 20, "sha256": "e"},
            "instances": [{"at": 0, "cell": "<i2", "planar": 0, "frames": [[10, 5, -7, "jls", 0, 99]]}],
            "stacks": [
                {"n": 0, "title": "胸部", "modality": "CT", "count": 1, "key": 0, "keyframe": "S0VZ", "thumb": "VEg=", "table": [1],
                 "preview": {"key": layout.preview("h", revision, 0), "size": 9, "sha256": "p"}, "frames": [[0, 0, 1.5, None, None]]}
            ],
        }  # fmt: skip
        manifest = {"hospital": "h", "study_key": key, "revision": revision, "series": [series]}
        data = json.dumps(manifest).encode()
        name = layout.manifest("h", key, revision)
        self.archive.put(name, data, hashlib.sha256(data).hexdigest())
        body = {
            "study_key": key,
            "study_instance_uid": uid,
            "accession_number": accession,
            "patient_id": "P1",
            "patient_name": "陈志远",
            "study_date": "2026-11-20",
            "revision": revision,
            "manifest": name,
            "instances": instances,
            "bytes": 20,
            **changed,
        }
        return letters.write(hospital="h", kind=Kind.STUDY_PUBLISHED, at=AT + timedelta(minutes=minutes), body=body)

    def report(self, words: str = "未见异常", minutes: int = 60, accession: str = "CT1", **changed: object) -> Letter:
        body = {
            "accession_number": accession,
            "study_instance_uid": UID,
            "status": "final",
            "impression": words,
            "content": hashlib.sha256(words.encode()).hexdigest(),
            "patient_id": "P1",
            "patient_name": "陈志远",
            "signed_at": (AT + timedelta(minutes=minutes)).isoformat(),
            **changed,
        }
        return letters.write(hospital="h", kind=Kind.REPORT_PUBLISHED, at=AT + timedelta(minutes=minutes), body=body)

    def state(self) -> str:
        with self.database.read() as c:
            found = {
                "visit": visits.get(c, "h", "MZ1"),
                "orders": visits.orders_of_visit(c, "h", "MZ1"),
                "studies": studies.of_visit(c, "h", "MZ1"),
                "stacks": stacks.of_visit(c, "h", "MZ1"),
                "reports": sorted((r.content, r.status) for r in reports.of_visit(c, "h", "MZ1")),
                "grants": grants.of_visit(c, "h", "MZ1"),
                "ledger": [(e.kind, e.number, e.amount_fen, e.service_date) for e in ledger.of_visit(c, "h", "MZ1")],
                "held": len(mail.held(c, "h")),
            }
        return repr(found)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    opened = Site(tmp_path)
    yield opened
    opened.database.close()


def test_any_order_and_doubling_of_letters_ends_the_same(tmp_path: Path) -> None:
    ends = set()
    dice = random.Random(5)
    for n in range(24):
        home = tmp_path / str(n)
        home.mkdir()
        (home / "keys").mkdir()
        if n:
            (home / "keys" / "keys.json").write_text((tmp_path / "0" / "keys" / "keys.json").read_text())
        here = Site(home)
        mailing = [
            *here.order(),
            here.link(),
            here.study("a"),
            here.study("b", instances=3, minutes=9),
            here.report(),
            here.report("更正", 90),
        ]
        mailing += dice.sample(mailing, 3)
        dice.shuffle(mailing)
        for letter in mailing:
            here.post(letter)
            if dice.random() < 0.6:
                here.registrar.open_box()
        here.registrar.open_box()
        assert list(here.archive.list(layout.mail("h", layout.TO_CLOUD))) == []
        ends.add(here.state())
        here.database.close()
    assert len(ends) == 1
    assert "'charge', 1, 1000" in ends.pop()


def test_a_link_is_born_before_its_study(site: Site) -> None:
    site.post(*site.order(), site.link())
    assert site.registrar.open_box().applied == 3
    with site.database.read() as c:
        grant = grants.find(c, "0" * 31 + "1")
        assert grant is not None
        assert studies.of_visit(c, "h", grant.visit_id) == []
        assert ledger.of_visit(c, "h", grant.visit_id) == []


def test_two_studies_of_a_visit_are_one_charge(site: Site) -> None:
    site.post(*site.order("CT1"), *site.order("MR1"), site.study("a"), site.study("m", accession="MR1", uid=UID + ".2"))
    site.registrar.open_box()
    with site.database.read() as c:
        assert len(studies.of_visit(c, "h", "MZ1")) == 2
        assert [e.amount_fen for e in ledger.of_visit(c, "h", "MZ1")] == [1000]


@pytest.mark.parametrize("first", ["order", "study"])
def test_another_patients_study_is_held_and_never_shown_or_charged(site: Site, first: str) -> None:
    mailing = [site.order(), (site.study(patient_id="P2", patient_name="李四"),)]
    for part in mailing if first == "order" else reversed(mailing):
        site.post(*part)
        site.registrar.open_box()
    with site.database.read() as c:
        study = studies.by_uid(c, "h", UID)
        assert study is not None
        assert study.state == studies.State.HELD
        assert stacks.of_visit(c, "h", "MZ1") == []
        assert ledger.of_visit(c, "h", "MZ1") == []


def test_a_link_on_a_held_study_does_not_move_to_the_other_person(site: Site) -> None:
    site.post(site.study(patient_id="P2", patient_name="李四"))
    site.registrar.open_box()
    with site.database.write() as c:
        derived = visits.search(c, "h", "李四")[0]
        grants.issue(c, derived, days=1, key_id=1, pepper=b"p", issued_by="desk", now=AT)
    site.post(*site.order())
    site.registrar.open_box()
    with site.database.read() as c:
        assert grants.of_visit(c, "h", "MZ1") == []


def test_pinyin_is_no_contradiction(site: Site) -> None:
    site.post(*site.order(), site.study(patient_name="CHEN ZHI YUAN"))
    site.registrar.open_box()
    with site.database.read() as c:
        assert len(stacks.of_visit(c, "h", "MZ1")) == 1


def test_a_study_without_an_order_gets_a_visit_that_the_order_takes_over_with_its_links(site: Site) -> None:
    site.post(site.study())
    site.registrar.open_box()
    with site.database.write() as c:
        derived = visits.search(c, "h", "陈志远")[0]
        assert derived.derived
        assert ledger.of_visit(c, "h", derived.id) == []
        grant = grants.issue(c, derived, days=1, key_id=1, pepper=b"p", issued_by="desk", now=AT).grant
    site.post(*site.order())
    site.registrar.open_box()
    with site.database.read() as c:
        moved = grants.find(c, grant.id)
        assert moved is not None
        assert moved.visit_id == "MZ1"
        assert len(stacks.of_visit(c, "h", "MZ1")) == 1
        assert len(ledger.of_visit(c, "h", "MZ1")) == 1


def test_a_report_that_names_another_patient_is_held(site: Site) -> None:
    site.post(*site.order(), site.report(patient_id="P9"))
    site.registrar.open_box()
    with site.database.read() as c:
        assert reports.of_visit(c, "h", "MZ1") == []
        assert [x.kind for x in mail.held(c, "h")] == ["report-published"]


def test_a_new_report_is_a_new_version_and_the_same_again_is_not(site: Site) -> None:
    site.post(*site.order(), site.report(), site.report("更正", 90), site.report("更正", 95))
    site.registrar.open_box()
    with site.database.read() as c:
        assert [r.impression for r in reports.of_visit(c, "h", "MZ1")] == ["更正", "未见异常"]


def test_unknown_and_unreadable_letters_are_held_and_stop_nothing(site: Site) -> None:
    raw = {"schema": letters.SCHEMA, "hospital": "h", "kind": "telepathy", "at": AT.isoformat(), "body": {}}
    canonical = letters._canonical(raw)
    unknown = letters._canonical({"id": hashlib.sha256(canonical).hexdigest(), **raw})
    for n, data in enumerate((unknown, b"junk", b"")):
        site.archive.put(layout.letter("h", layout.TO_CLOUD, f"0{n}", "x"), data, hashlib.sha256(data).hexdigest())
    site.post(*site.order())
    done = site.registrar.open_box()
    assert (done.applied, done.held) == (2, 3)


def test_arriving_images_are_counted_and_publication_is_not_set_back(site: Site) -> None:
    def arriving(received: int, minutes: int) -> Letter:
        body = {**site.study().body, "received": received, "expected": 680}
        return letters.write(hospital="h", kind=Kind.STUDY_ARRIVING, at=AT + timedelta(minutes=minutes), body=body)

    site.post(*site.order(), arriving(312, 1))
    site.registrar.open_box()
    with site.database.read() as c:
        study = studies.of_visit(c, "h", "MZ1")[0]
        assert (study.state, study.received, study.expected) == ("arriving", 312, 680)
    site.post(site.study(minutes=2), arriving(400, 3))
    site.registrar.open_box()
    with site.database.read() as c:
        assert studies.of_visit(c, "h", "MZ1")[0].state == "available"


def test_a_publication_renews_the_link(site: Site) -> None:
    site.post(*site.order(), site.link(), site.study(minutes=60 * 24 * 30))
    site.registrar.open_box()
    with site.database.read() as c:
        grant = grants.of_visit(c, "h", "MZ1")[0]
    assert grant.expires_at == AT + timedelta(days=210)
    assert grant.token_expires_at == AT + timedelta(days=180)


def test_checkpoints_are_kept_in_the_archive_too(site: Site) -> None:
    from cloudfilm.records import journal

    with site.database.write() as c:
        journal.write(c, hospital="h", actor="system", action="look", object="x", now=AT)
    assert site.registrar.checkpoint(force=True)
    assert len(list(itertools.islice(site.archive.list(layout.journal_prefix("h")), 5))) == 1
