"""`cloudfilm archive verify` and `cloudfilm restore` as a person runs them, on a folder archive whose records are lost."""

import os
import subprocess
import sys
from pathlib import Path

from cloudfilm import keys
from cloudfilm.archive import layout
from cloudfilm.archive.filesystem import FilesystemArchive
from tests.archive.published import files_of_a_study, publish

UID = "1.2.3"


def cloudfilm(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFILM_")} | {"CLOUDFILM_HOME": str(home)}
    program = [sys.executable, "-c", "from cloudfilm.cli import main; main()", *words]
    return subprocess.run(program, env=environment, capture_output=True, text=True)


def test_a_study_is_verified_and_restored_and_damage_is_told(tmp_path: Path) -> None:
    home, given = tmp_path / "home", files_of_a_study()
    archive = FilesystemArchive(home / "archive")
    study_key = layout.study_key(keys.load(home, None).study, UID)
    _, manifest = publish(archive, "hospital", study_key, given, tmp_path)

    assert cloudfilm(home, "archive", "verify").returncode == 0
    done = cloudfilm(home, "restore", UID, "--to", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    files = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(files) == sorted(data for series in given for data in series)
    unknown = cloudfilm(home, "restore", "9.9.9", "--to", str(tmp_path / "out"))
    assert unknown.returncode == 1 and unknown.stderr.startswith("cloudfilm: There is no such study")

    stored = home / "archive" / "objects" / manifest["series"][0]["exact"]["key"]
    stored.write_bytes(stored.read_bytes()[:-1])
    told = cloudfilm(home, "archive", "verify")
    assert told.returncode == 1 and f"{manifest['series'][0]['exact']['key']} is damaged" in told.stdout
    assert len(told.stderr.strip().splitlines()) == 1
