"""`make demo`: the whole way of a film on this machine, through the real entrances, and what a person needs to look at it.

    python -m tools.demo [--once]     PHONE=1: https on the local network.   Settings: CLOUDFILM_*, home ./var unless chosen.

Starts `cloudfilm up`; an order comes from the HIS, a study from the scanner (C-STORE), a report from the RIS (watched folder). Runs
until Ctrl-C; starting again keeps data, links and logins, and sends nothing twice. --once (or DEMO_ONCE=1) stops after showing it.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import qrcode
from tqdm import tqdm

from cloudfilm import clock, keys, settings
from cloudfilm.domain.challenge import Challenge
from cloudfilm.records import hospitals, journal, staff
from cloudfilm.records.database import Database, open_database

from . import feed, place, source
from .place import CannotRun

STOP_S_MAX = 20.0
START_S_MAX = 60.0
PUBLISH_S_MAX = 600.0
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that can be taken for another
NAMES = {staff.Role.DESK: "演示窗口", staff.Role.FINANCE: "演示财务"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the main job on this machine.")
    parser.add_argument("--once", action="store_true", help="stop when everything has been shown")
    parser.add_argument("--phantom", action="store_true", help="show the drawn chest even where the real study lies beside the clone")
    given = parser.parse_args()
    once = given.once or os.environ.get("DEMO_ONCE", "") not in ("", "0")
    phone = os.environ.get("PHONE", "") not in ("", "0")
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    try:
        return _run(None if given.phantom else source.real(), once=once, phone=phone)
    except (CannotRun, settings.SettingWrong, keys.KeysWrong) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: stopped; `make demo` goes on with the same data and the same QR.", flush=True)
        return 0


def _stop(_signum: int, _frame: FrameType | None) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # make and the terminal may each tell us: one stop is enough
    raise KeyboardInterrupt


def _run(real: Path | None, *, once: bool, phone: bool) -> int:
    settings.read()  # a wrong value is told before anything is done
    home = Path(os.environ.get("CLOUDFILM_HOME") or source.ROOT / "var").expanduser().absolute()
    study = _study(real, home)
    environment = place.environment(source.ROOT, str(study.order.get("hospital", "")) or "示例医院", phone=phone)
    os.environ.update(environment)  # commands below and processes beside us read the same settings
    here = settings.read()
    print(f"CloudFilm demo in {here.home}: {study.credit}", flush=True)
    # A session of its own, so that Ctrl-C reaches only us; and the kernel stops it if we are killed.
    words = [sys.executable, "-m", "cloudfilm.cli.child", str(os.getpid()), "up", "--quiet"]
    parent = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True, cwd=source.ROOT)

    def alive() -> None:
        if parent.poll() is not None:
            raise CannotRun("`cloudfilm up` has ended; its last words are above, the rest is in $CLOUDFILM_HOME/logs/.")

    try:
        feed.wait_for("Starting the site", lambda: _answers(here), alive, START_S_MAX)
        feed.wait_for("Starting the DICOM receiver", lambda: feed.receives(here), alive, START_S_MAX)
        ring = keys.load(here.home, here.keys)
        database = open_database(here.database)
        _feed(feed.Watcher(here, ring, database, study), alive)
        told = _tell(here, database, study)
        database.close()
        _show(told, here, phone=phone)
        if not once:
            print("Ctrl-C stops everything.", flush=True)
            parent.wait()
            alive()
        return 0
    finally:
        parent.terminate()
        try:
            parent.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            parent.kill()
            parent.wait()


def _study(real: Path | None, home: Path) -> source.Study:
    if real is not None:
        credit = "a real chest CT (The Cancer Imaging Archive, CMB-CRC, CC BY 4.0; people invented)"
        return source.read(real, home / "demo-work", credit)
    made = home / "demo-study"
    if not (made / "report.json").exists():
        from . import phantom

        shutil.rmtree(made, ignore_errors=True)
        with _bar("绘制 drawn     ", phantom.SLICES, 0) as bar:
            phantom.write(made, progress=lambda _: bar.update())
    return source.read(made, home / "demo-work", "a chest CT of formulas (tools/phantom.py); all people invented")


def _bar(name: str, total: int, line: int) -> "tqdm[Any]":
    """A progress bar; nothing where there is no terminal to draw it on."""
    return tqdm(total=total, desc=name, unit="张", position=line, disable=not sys.stderr.isatty())


def _answers(here: settings.Settings) -> bool:
    """Whether the site answers at its public address."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # our own certificate, our own machine
    try:
        with urllib.request.urlopen(f"{here.url}/healthz", timeout=5, context=trusting) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _feed(watcher: feed.Watcher, alive: Callable[[], None]) -> None:
    """Send what is not registered yet: order, study, report, in that order, and show how it goes on."""
    study, known = watcher.study, watcher.registered()
    if known.order and known.instances and known.report:
        print(f"Everything is registered since an earlier start ({known.instances} images): nothing is sent again.", flush=True)
        return
    if not known.order:
        told = feed.command("order", "add", str(study.folder / "order.json"), "--json")
        print(f"HIS    order {told['accession_number']} of visit {told['visit_id']} entered; its receipt link exists before any image.")
    if not known.report:
        feed.drop_report(watcher.settings.watch, study)
        print("RIS    report and sidecar laid into the watched folder.", flush=True)
    if not known.instances:
        files = study.instances()
        with (
            _bar("接收 received  ", len(files), 0) as received,
            _bar("发布 published ", len(files), 1) as published,
            _bar("登记 registered", len(files), 2) as registered,
        ):
            feed.send(watcher.settings, files, received.update)

            shown = {"published": 0, "registered": 0}

            def done() -> bool:
                now = watcher.registered().instances
                built = max(watcher.built(), now)
                published.update(built - shown["published"])
                registered.update(now - shown["registered"])
                shown.update(published=built, registered=now)
                return now >= len(files)

            feed.wait_for("Publishing the study", done, alive, PUBLISH_S_MAX)
        study.forget()
        print(f"DICOM  {len(files)} images received, published and registered.", flush=True)
    feed.wait_for("Registering order and report", lambda: _whole(watcher), alive, PUBLISH_S_MAX)


def _whole(watcher: feed.Watcher) -> bool:
    now = watcher.registered()
    return now.order and now.report


def _tell(here: settings.Settings, database: Database, study: source.Study) -> dict[str, Any]:
    """What a person needs, written to demo.json (0600) and given back."""
    link = feed.command("link", "issue", "--visit", study.order["visit_id"], "--json")
    before = place.last_told(here.home)
    told = {
        "patient": {
            "url": link["url"],
            "challenge": link["challenge"],
            "answer": link.get("answer") or _answer(study.order, Challenge(link["challenge"])),
            "name": study.order["name"],
        },
        "desk": _login(here, database, before, staff.Role.DESK),
        "finance": _login(here, database, before, staff.Role.FINANCE),
        "dicom": {"aet": here.aet, "host": here.dicom_host, "port": here.dicom_port},
    }
    beside = here.home / f"demo.json.{os.getpid()}"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(told, file, ensure_ascii=False, indent=1)
    beside.replace(here.home / "demo.json")
    return told


def _answer(order: dict[str, Any], challenge: Challenge) -> str:
    """What the patient of this order would answer."""
    return {
        Challenge.PHONE_LAST_4: str(order.get("phone", ""))[-4:],
        Challenge.ID_LAST_6: str(order.get("id_card_last6", "")),
        Challenge.ID_LAST_4: str(order.get("id_card_last4", "")),
        Challenge.BIRTH_DATE: str(order.get("birth_date", "")).replace("-", ""),
        Challenge.PIN: "",
    }[challenge]


def _login(here: settings.Settings, database: Database, before: dict[str, Any], role: staff.Role) -> dict[str, str]:
    """The demo's login of this role: the one of demo.json while it opens, else with a new random password."""
    user, now = f"demo-{role.value}", clock.now()
    told = {"url": f"{here.url}/staff/", "user": user, "password": str(before.get(role.value, {}).get("password", ""))}
    with database.write() as c:
        hospitals.put(c, hospitals.Hospital(here.hospital, here.hospital_name, here.hospital_phone, here.timezone.key))
        member = staff.get(c, here.hospital, user)
        if member is not None and told["password"] and staff.log_in(c, here.hospital, user, told["password"], now):
            return told
        told["password"] = "".join(secrets.choice(ALPHABET) for _ in range(16))
        if member is None:
            staff.add(
                c, hospital=here.hospital, staff_id=user, name=NAMES[role], role=role, password=told["password"], must_change=False, now=now
            )
        else:
            staff.set_password(c, here.hospital, user, told["password"], must_change=False, now=now)
        action = "staff-add" if member is None else "staff-reset"
        journal.write(c, hospital=here.hospital, actor="system:demo", action=action, object=f"staff:{user}", reason=role.value, now=now)
    return told


def _show(told: dict[str, Any], here: settings.Settings, *, phone: bool) -> None:
    patient, desk, finance, dicom = (told[name] for name in ("patient", "desk", "finance", "dicom"))
    code = qrcode.QRCode(border=2, error_correction=qrcode.ERROR_CORRECT_L)
    code.add_data(patient["url"])
    code.print_ascii(out=sys.stdout, invert=True)
    print(f"患者 Patient    {patient['url']}")
    print(f"     answer     {patient['answer']}  ({patient['challenge']}; {patient['name']})")
    print(f"窗口 Desk       {desk['url']}  {desk['user']}  {desk['password']}")
    print(f"财务 Finance    {finance['url']}  {finance['user']}  {finance['password']}")
    print(f"DICOM          AE title {dicom['aet']}, {dicom['host']}, port {dicom['port']}")
    print(f"All of it      {here.home / 'demo.json'}", flush=True)
    if phone:
        print(
            "The certificate is self-signed: the phone warns once (Advanced, then go on). Phone and computer must share a network.",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
