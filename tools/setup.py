"""Sets up what the Makefile's commands need: `python3 tools/setup.py demo|test`. Standard library only, and old Pythons can read it.

System packages are installed when that is allowed (root, or sudo without a password); else the one line to run is printed, and the
work goes on as far as it can. Libraries go into .venv, pinned with their hashes. A stamp there tells the next start that all is done.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
LOCKS = {"demo": ["requirements.lock"], "test": ["requirements.lock", "requirements-test.lock"]}
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
SILENT = {**QUIET, "stderr": subprocess.DEVNULL}


def _on_path(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


def _chinese_font() -> bool:
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list", ":lang=zh-cn", "family"], stdout=subprocess.PIPE).stdout.strip())
    fonts = Path("/usr/share/fonts")
    return any(fonts.rglob("*wqy*")) or any(fonts.rglob("*CJK*"))


# package of Debian and Ubuntu -> (is what it brings here?, what for)
PRODUCT = {
    "libpango-1.0-0": (lambda: find_library("pango-1.0"), "printed slips"),
    "libpangoft2-1.0-0": (lambda: find_library("pangoft2-1.0"), "printed slips"),
    "fonts-wqy-microhei": (_chinese_font, "Chinese on slips"),
    "openssl": (lambda: _on_path("openssl"), "PHONE=1"),
}
TESTS = {
    "chromium": (lambda: _on_path("chromium", "chromium-browser", "google-chrome"), "walks through a browser"),
    "dcmtk": (lambda: _on_path("storescu"), "a real sender and reference pictures"),
    "libgdcm-tools": (lambda: _on_path("gdcmconv"), "a real sender and reference pictures"),
    "poppler-utils": (lambda: _on_path("pdftotext"), "reading printed pages back"),
    "postgresql": (lambda: any(Path("/usr/lib/postgresql").glob("*/bin/postgres")), "records on PostgreSQL"),
    "webkit2gtk-driver": (lambda: _on_path("WebKitWebDriver"), "the viewer in WebKit"),
    "xauth": (lambda: _on_path("xauth"), "the viewer in WebKit"),
    "xvfb": (lambda: _on_path("Xvfb"), "the viewer in WebKit"),
}


def main() -> None:
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in LOCKS:
        sys.exit("setup: say demo or test")
    os.chdir(ROOT)
    _system_packages(PRODUCT if what == "demo" else {**PRODUCT, **TESTS})
    if _stamped(what):
        return
    _venv(_interpreter())
    lock = LOCKS[what][-1]
    print(f"setup: installing the libraries of {lock} into .venv (once)", flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    _run([*pip, "--require-hashes", "-r", lock], "The libraries could not be installed; see pip's words above.")
    _run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], "CloudFilm itself could not be installed; see pip's words above.")
    _stamp(what).write_text(_fingerprint(what))


def _stamp(what: str) -> Path:
    return VENV / f".stamp-{what}"


def _fingerprint(what: str) -> str:
    """Changes when what would be installed changes, and when the clone is moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in [*LOCKS[what], "setup.cfg", "pyproject.toml"]:
        digest.update((ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _stamped(what: str) -> bool:
    """Whether .venv works and holds all that is wanted. What the tests need includes what the demo needs."""
    if not PYTHON.exists() or subprocess.call([str(PYTHON), "-c", ""], **SILENT) != 0:
        return False
    return any(_stamp(name).exists() and _stamp(name).read_text() == _fingerprint(name) for name in {what, "test"})


def _interpreter() -> str:
    """A Python that is new enough."""
    for name in (sys.executable, "python3", "python3.13", "python3.12", "python3.11", "python3.14"):
        path = shutil.which(name) if name else None
        if path is None:
            continue
        asked = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2])"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if tuple(int(part) for part in asked.stdout.split()) >= OLDEST:
            return path
    sys.exit("setup: Python 3.11 or newer is needed and was not found; run\n  sudo apt-get install python3.11 python3.11-venv")


def _venv(python: str) -> None:
    """Make .venv, or take the one that is there when it works and has pip."""
    if PYTHON.exists() and subprocess.call([str(PYTHON), "-m", "pip", "--version"], **SILENT) == 0:
        return
    if subprocess.call([python, "-c", "import ensurepip, venv"], **SILENT) != 0:  # Debian keeps it in a package of its own
        ask = "import sys; print('python%d.%d-venv' % sys.version_info[:2])"
        package = subprocess.run([python, "-c", ask], stdout=subprocess.PIPE).stdout.decode().strip()
        if not _apt([package]):
            sys.exit(f"setup: this Python makes no virtual environment; run this, then the same command again:\n  {_line([package])}")
    _run([python, "-m", "venv", "--clear", str(VENV)], "No virtual environment could be made in .venv.")


def _system_packages(wanted: dict) -> None:
    missing = [package for package, (is_here, _) in wanted.items() if not is_here()]
    if not missing or _apt(missing):
        return
    why = ", ".join(sorted({wanted[package][1] for package in missing}))
    print(f"setup: missing for {why}; to install, run\n  {_line(missing)}\nsetup: going on without.", file=sys.stderr, flush=True)


def _line(packages: list[str]) -> str:
    return f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"


def _apt(packages: list[str]) -> bool:
    """Install; False when that is not possible here."""
    if not shutil.which("apt-get"):
        return False
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and not (shutil.which("sudo") and subprocess.call(["sudo", "-n", "true"], **SILENT) == 0):
        return False
    print(f"setup: installing {' '.join(packages)}", flush=True)
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    install = [*apt, "install", "--no-install-recommends", *packages]
    if subprocess.call(install, **SILENT) == 0:
        return True
    subprocess.call([*apt, "update"], **QUIET)  # a fresh machine has no lists, an old one has stale ones
    return subprocess.call(install, **QUIET) == 0


def _run(command: list[str], trouble: str) -> None:
    if subprocess.call(command, stdin=subprocess.DEVNULL) != 0:
        sys.exit(f"setup: {trouble}")


if __name__ == "__main__":
    main()
