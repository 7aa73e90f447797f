"""The README says all that there is, and nothing that there is not; the locks hold no GPL; no file knows where it was written."""

import re
import subprocess
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.docs import tables

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _rows(beginning: str) -> list[str]:
    return [line for line in README.splitlines() if line.startswith(beginning)]


def test_every_setting_is_in_the_readme_as_it_is_and_no_other() -> None:
    assert _rows("| `CLOUDFILM_") == tables.settings(), "python -m tests.docs.tables prints the rows as they should be"


def test_every_command_is_in_the_readme_with_all_its_options_and_no_other() -> None:
    assert _rows("| `cloudfilm ") == tables.commands(), "python -m tests.docs.tables prints the rows as they should be"


def test_what_the_pages_point_to_is_there() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r'(?:\]\(|src=")([^)#"]+)', page.read_text(encoding="utf-8")):
            assert target.startswith(("http", "data:")) or (page.parent / target).exists(), f"{page.name} points to {target}"


def test_every_goal_of_make_that_the_readme_names_exists() -> None:
    goals = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", README)) <= goals


def _locked() -> list[str]:
    names = set()
    for lock in ("requirements.lock", "requirements-test.lock"):
        names |= set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", (ROOT / lock).read_text(), re.MULTILINE))
    return sorted(names)


def _licences(found: Distribution) -> list[str]:
    """What a distribution says of its licences; several are a choice. A long text is the licence itself: its first line names it."""
    told = found.metadata
    plain = [told.get("License-Expression") or "", (told.get("License") or "").strip().split("\n")[0]]
    classified = [line for line in told.get_all("Classifier") or [] if line.startswith("License ::") and line.count("::") > 1]
    return [line for line in plain + classified if line]


def _forbidden(licence: str) -> bool:
    """GPL or AGPL, and no way round it: with `OR` one may take the other; the LGPL lets us load a library."""
    if " OR " in licence or "Lesser" in licence or "LGPL" in licence:
        return False
    return bool(re.search(r"\bA?GPL|GNU (Affero )?General Public", licence))


def test_no_library_of_the_locks_is_under_the_gpl() -> None:
    names, bad = _locked(), []
    assert len(names) > 50
    for name in names:
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform or Python
        licences = _licences(found)
        if licences and all(_forbidden(licence) for licence in licences):
            bad.append(f"{name}: {licences}")
    assert bad == []


@pytest.mark.parametrize(
    ("licence", "expected"),
    [("GPL-3.0-only", True), ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True), ("AGPL-3.0", True),
     ("LGPL-3.0-only", False), ("GNU Lesser General Public License v3 (LGPLv3)", False), ("MPL-1.1 OR GPL-2.0", False), ("MIT", False)],
)  # fmt: skip
def test_what_counts_as_gpl(licence: str, expected: bool) -> None:
    assert _forbidden(licence) is expected


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("NOT RUN: this is no git clone, so what belongs to it is not known")
    place = "/" + "work/"
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or not path.is_file():
            continue
        if re.search(rf"(?<![\w.]){place}".encode(), path.read_bytes()) and path.suffix not in (".png", ".webp"):
            found.append(name)
    assert found == []
