"""`cloudfilm journal verify|export`: is what was written still what stands there?"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from .site import Refused, Site


@click.group()
def journal() -> None:
    """Check and export the journal."""


@journal.command()
def verify() -> None:
    """Re-compute every row's hash and every checkpoint; name the first bad record. Also compares the archive's checkpoints."""
    site = Site()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        with path.open("w", encoding="utf-8") as out:
            _write(site, out)
        program = Path(__file__).with_name("journal_verifier.py")
        done = subprocess.run([sys.executable, str(program), str(path), "--key", site.keys.journal.hex()], capture_output=True, text=True)
        missing = _not_in_records(site, path)
    if done.returncode != 0 or missing:
        raise Refused(missing or done.stdout.strip() or "the verifier could not read the export")
    print(done.stdout.strip())


def _not_in_records(site: Site, export: Path) -> str:
    """A checkpoint that the archive holds and the records do not: somebody cut the journal and its checkpoints together."""
    from cloudfilm.archive import layout

    kept = set()
    with export.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if "checkpoint" in record:
                kept.add(json.dumps(record["checkpoint"], sort_keys=True))
    for key in site.archive.list(layout.journal_prefix(site.settings.hospital)):
        data = site.archive.read(key).decode()
        if data not in kept:
            return f"BAD: checkpoint {json.loads(data)['number']} of the archive is not in the records (cut off or changed)"
    return ""


@journal.command()
@click.option("--out", "out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="JSON lines.")
def export(out: Path) -> None:
    """Write all rows and checkpoints to a file that journal_verifier.py checks without our code."""
    site = Site()
    with out.open("w", encoding="utf-8") as file:
        _write(site, file)
    print(out)


def _write(site: Site, out) -> None:  # type: ignore[no-untyped-def]
    from cloudfilm.records import journal as records

    with site.database.read() as c:
        for record in records.export(c):
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
