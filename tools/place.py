"""Where the demo runs: its folder, its free ports, and for a phone the address and certificate on the local network."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class CannotRun(Exception):
    """The demo cannot run so; the text is one sentence for the person."""


def environment(root: Path, hospital_name: str, *, phone: bool) -> dict[str, str]:
    """This process's environment, with the demo's choice for every setting that the user has not made."""
    chosen = dict(os.environ)
    home = Path(chosen.get("CLOUDFILM_HOME") or root / "var").expanduser().absolute()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = last_told(home)
    chosen["CLOUDFILM_HOME"] = str(home)
    chosen.setdefault("CLOUDFILM_HOSPITAL_NAME", hospital_name)
    chosen.setdefault("CLOUDFILM_QUIET_SECONDS", "3")
    host = "0.0.0.0" if phone else "127.0.0.1"
    chosen.setdefault("CLOUDFILM_HOST", host)
    last_port = urlsplit(str(before.get("patient", {}).get("url", ""))).port
    chosen["CLOUDFILM_PORT"] = _port(chosen, "CLOUDFILM_PORT", chosen["CLOUDFILM_HOST"], [last_port, *range(8080, 8180)])
    last_dicom, dicom_host = before.get("dicom", {}).get("port"), chosen.get("CLOUDFILM_DICOM_HOST") or "127.0.0.1"
    chosen["CLOUDFILM_DICOM_PORT"] = _port(chosen, "CLOUDFILM_DICOM_PORT", dicom_host, [last_dicom, *range(11112, 11212)])
    if phone:
        address = lan_address()
        chosen.setdefault("CLOUDFILM_URL", f"https://{address}:{chosen['CLOUDFILM_PORT']}")
        if not chosen.get("CLOUDFILM_TLS_CERTIFICATE"):
            certificate, key = self_signed(home / "tls", address)
            chosen["CLOUDFILM_TLS_CERTIFICATE"], chosen["CLOUDFILM_TLS_KEY"] = str(certificate), str(key)
    return chosen


def last_told(home: Path) -> dict[str, Any]:
    """What demo.json said at the last start; {} the first time."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((home / "demo.json").read_text(encoding="utf-8"))
        if isinstance(told, dict):
            return told
    return {}


def _port(chosen: Mapping[str, str], variable: str, host: str, wanted: Iterable[int | None]) -> str:
    """The user's port, which must be free; where none was chosen, the first of `wanted` that is."""
    given = chosen.get(variable)
    found = free_port(host, [int(given)] if given else wanted)
    if found is None:
        raise CannotRun(f"Port {given} is taken by another program; choose another {variable}, or leave it out to have a free one found.")
    return str(found)


def free_port(host: str, wanted: Iterable[int | None]) -> int | None:
    """The first of `wanted` that nobody holds. The last start's port comes first, for it stands in the printed QR."""
    for port in wanted:
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                return port
    return None


def lan_address() -> str:
    """This machine's address on the local network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: a UDP connect chooses the route and sends nothing
        except OSError as error:
            raise CannotRun("This machine has no network that a phone could reach; start without PHONE=1.") from error
        return str(probe.getsockname()[0])


def self_signed(folder: Path, address: str) -> tuple[Path, Path]:
    """Certificate and key for `address`, made once; made anew when it is about to end."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise CannotRun("PHONE=1 needs the command openssl (apt-get install openssl).")
    folder.mkdir(exist_ok=True, mode=0o700)
    certificate, key = folder / f"{address}.pem", folder / f"{address}.key"
    lasting = [openssl, "x509", "-checkend", "86400", "-noout", "-in", str(certificate)]
    if not certificate.exists() or subprocess.run(lasting, capture_output=True).returncode != 0:
        made = subprocess.run(
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365",
             "-subj", "/CN=CloudFilm demo", "-addext", f"subjectAltName=IP:{address}", "-keyout", str(key), "-out", str(certificate)],
            capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode != 0:
            raise CannotRun(f"openssl could not make a certificate: {made.stderr.strip().splitlines()[-1]}")
        key.chmod(0o600)
    return certificate, key
