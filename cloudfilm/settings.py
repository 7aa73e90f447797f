"""Every setting, read once from the environment into one frozen value. A wrong value stops the start with one sentence.

`SETTINGS` below is the list the README's table is tested against.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class SettingWrong(Exception):
    """A variable's value cannot be used; the text names the variable and says what is wanted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Values of one process. Paths are absolute; times are seconds; sizes are bytes."""

    home: Path
    url: str  # public base address, no slash at the end: what a QR shows
    host: str  # address that web binds
    port: int
    database: str  # SQLAlchemy URL
    archive: str  # folder path, or s3://bucket[/prefix]
    s3_endpoint: str | None
    hospital: str  # short id, begins every key and row
    hospital_name: str
    hospital_phone: str
    timezone: ZoneInfo
    keys: str | None  # JSON text or a path; None: $CLOUDFILM_HOME/keys/keys.json
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    dicom_host: str
    dicom_port: int
    aet: str
    quiet_seconds: float
    watch: Path  # folder that is polled for files
    encoders: int  # child processes that decode and encode
    web_workers: int
    link_days: int
    rate_card: Path | None  # CSV; None: the rate card that comes with the product
    tls_certificate: Path | None
    tls_key: Path | None
    log_level: str


def _text(value: str) -> str:
    return value


def _optional(value: str) -> str | None:
    return value or None


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _optional_path(value: str) -> Path | None:
    return _path(value) if value else None


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        number = float(value)
        if not low <= number <= high:
            raise ValueError(f"a number from {low:g} to {high:g} is wanted")
        return number

    return parse


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high} is wanted")
        return number

    return parse


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("a time zone such as Asia/Shanghai is wanted") from error


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", value):
        raise ValueError("1 to 32 of a-z, 0-9 and - are wanted")
    return value


def _aet(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,16}", value):
        raise ValueError("an AE title of 1 to 16 letters, digits, _ . - is wanted")
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address such as https://film.example.org is wanted")
    return value.rstrip("/")


def _networks(value: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())


# name, default, how it is read, what it is for. {home}, {port} in a default are filled in. README's table mirrors this.
SETTINGS: tuple[tuple[str, str, Callable[[str], object], str], ...] = (
    ("HOME", "~/.local/share/cloudfilm", _path, "folder of everything this machine keeps"),
    ("PORT", "8080", _integer(1, 65535), "port of the site"),
    ("HOST", "127.0.0.1", _text, "address the site binds"),
    ("URL", "http://127.0.0.1:{port}", _url, "public address of the site, printed in every QR"),
    ("DATABASE", "sqlite:///{home}/records.sqlite", _text, "records, as an SQLAlchemy URL (PostgreSQL: postgresql+psycopg://…)"),
    (
        "ARCHIVE",
        "{home}/archive",
        _text,
        "objects: a folder, or s3://bucket/prefix (credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
    ),
    ("S3_ENDPOINT", "", _optional, "address of an S3 that is not Amazon's"),
    ("HOSPITAL", "hospital", _slug, "short id of the hospital; begins every row and key, never changes"),
    ("HOSPITAL_NAME", "示例医院", _text, "name on pages and slips"),
    ("HOSPITAL_PHONE", "", _text, "telephone that patients may call, shown on pages"),
    ("TIMEZONE", "Asia/Shanghai", _zone, "zone of shown times, service dates and months"),
    ("KEYS", "", _optional, "secrets: a JSON text or a file; empty: made at first start in $CLOUDFILM_HOME/keys/"),
    ("TRUSTED_PROXIES", "", _networks, "proxies whose X-Forwarded-For is believed, as networks, comma between"),
    ("DICOM_HOST", "127.0.0.1", _text, "address the DICOM receiver binds"),
    ("DICOM_PORT", "11112", _integer(1, 65535), "port of the DICOM receiver"),
    ("AET", "CLOUDFILM", _aet, "AE title of the DICOM receiver"),
    ("QUIET_SECONDS", "20", _number(0.1, 86400), "a study is finished when nothing came for so long"),
    ("WATCH", "{home}/watch", _path, "folder polled for DICOM files, orders and reports"),
    ("ENCODERS", "2", _integer(1, 64), "child processes that decode and encode"),
    ("WEB_WORKERS", "2", _integer(1, 64), "gunicorn workers"),
    ("LINK_DAYS", "180", _integer(1, 1095), "life of a receipt link after the visit's last publication"),
    ("RATE_CARD", "", _optional_path, "CSV of dated prices; empty: the card that comes with the product"),
    ("TLS_CERTIFICATE", "", _optional_path, "serve https with this certificate (PEM)"),
    ("TLS_KEY", "", _optional_path, "the certificate's key (PEM)"),
    ("LOG_LEVEL", "INFO", _text, "DEBUG, INFO, WARNING or ERROR"),
)


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `CLOUDFILM_*`; raises SettingWrong with a sentence naming the variable."""
    values: dict[str, object] = {}
    known = {f"CLOUDFILM_{name}" for name, *_ in SETTINGS}
    for variable in environment:
        if variable.startswith("CLOUDFILM_") and variable not in known:
            raise SettingWrong(f"{variable} is not a setting; README.md lists them.")
    for name, default, parse, _ in SETTINGS:
        variable = f"CLOUDFILM_{name}"
        given = environment.get(variable, "")
        text = given or default.format(home=values.get("home", ""), port=values.get("port", ""))
        try:
            values[name.lower()] = parse(text)
        except ValueError as error:
            raise SettingWrong(f"{variable} is {text!r}: {error}.") from error
    return Settings(**values)  # type: ignore[arg-type]
