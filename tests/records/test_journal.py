"""The chain and its stand-alone verifier, each kind of tampering planted."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudfilm.cli import journal_verifier
from cloudfilm.records import journal
from cloudfilm.records.database import Database

from .conftest import NOW

KEY = b"k" * 32


@pytest.fixture
def exported(database: Database) -> list[dict[str, Any]]:
    for part in range(3):
        with database.write() as c:
            for n in range(20):
                journal.write(c, hospital="h", actor="grant:1", action="open", object=f"study:{n}", now=NOW, address="203.0.113.77")
            if part < 2:
                assert journal.checkpoint(c, KEY, NOW) is not None
    with database.read() as c:
        return list(journal.export(c))


def fault(records: list[dict[str, Any]]) -> str | None:
    return journal_verifier.first_fault([json.dumps(r) for r in records], KEY)[0]


def test_a_whole_journal_is_whole(exported: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in exported))
    program = Path(journal_verifier.__file__)
    done = subprocess.run([sys.executable, "-I", str(program), str(path), "--key", KEY.hex()], capture_output=True, text=True)
    assert (done.returncode, done.stdout[:20]) == (0, "ok: 60 rows, 2 check")


def test_the_address_is_shortened_to_its_block(exported: list[dict[str, Any]]) -> None:
    assert {r["row"]["address"] for r in exported if "row" in r} == {"203.0.113.0/24"}


TAMPERINGS: dict[str, Callable[[list[dict[str, Any]], int], object]] = {
    "changed": lambda r, i: r[i]["row"].update(object="study:other"),
    "removed": lambda r, i: r.pop(i),
    "inserted": lambda r, i: r.insert(i, json.loads(json.dumps(r[i]))),
    "reordered": lambda r, i: r.insert(i - 1, r.pop(i)),
    "signed by another": lambda r, i: r[-1]["checkpoint"].update(signature="0" * 64),
    "checkpoint removed": lambda r, i: r.pop(-2),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_named(exported: list[dict[str, Any]], tampering: str) -> None:
    lane_of = [r["row"]["lane"] if "row" in r else None for r in exported]
    inside = [i for i in range(2, 60) if lane_of[i - 1] == lane_of[i] == lane_of[i - 2] and exported[i]["row"]["number"] < 9]
    TAMPERINGS[tampering](exported, random.Random(7).choice(inside))
    assert fault(exported) is not None


def test_a_journal_cut_off_after_a_checkpoint_shows(exported: list[dict[str, Any]]) -> None:
    heads = json.loads(exported[-1]["checkpoint"]["heads"])
    lane, (number, _) = next((lane, head) for lane, head in heads.items() if head[0] > 1)
    cut = [r for r in exported if "row" not in r or r["row"]["lane"] != int(lane) or r["row"]["number"] < number]
    assert "cut off" in str(fault(cut))


def test_nothing_new_means_no_new_checkpoint(database: Database, exported: list[dict[str, Any]]) -> None:
    with database.write() as c:
        assert journal.rows_since_checkpoint(c) == 20
        assert journal.checkpoint(c, KEY, NOW) is not None
        assert journal.checkpoint(c, KEY, NOW) is None
        assert journal.rows_since_checkpoint(c) == 0
