"""`make bench`: the figures of a film's way, each beside its floor in the same run. See README.md here.

python -m bench [--quick]        --quick: one load a profile and no hundred studies, to see that it works
"""

import argparse
import gzip
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from cloudfilm.records import studies as records
from cloudfilm.records.database import Database

from . import figures, sender, studies
from .figures import Figure
from .phone import Marks, Phone, chromium, scripts_of
from .site import QUIET_S, ROOT, Site, Watch, child_named, children, free_ports, highest_mb, program, running, wait_for_port

RESULTS = ROOT / "bench" / "results.json"
EXACT_FRAMES = 12  # how many frames are compared bit for bit


@dataclass(frozen=True, slots=True)
class Profile:
    """A phone's link. kbit a second, round trip in ms."""

    name: str
    kbit: int
    rtt_ms: int

    @property
    def bytes_s(self) -> float:
        return self.kbit * 125


SLOW, FAST = Profile("slow", 1600, 150), Profile("fast", 9000, 80)
NEAR = Profile("near", 1_000_000, 0)  # for what is not timed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Print the figures, each beside its floor.")
    parser.add_argument("--quick", action="store_true", help="one load a profile, no hundred studies: to see that it works")
    quick = parser.parse_args().quick
    before = figures.machine()
    if before["load"][0] > (before["cores"] or 1):
        print(f"bench: this machine is busy (load {before['load'][0]}): trust the ratios to the floors only", file=sys.stderr)
    began = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="cloudfilm-bench-"))
    try:
        found: list[Figure] = []
        files, study = _unpacked(work)
        with running(work / "home") as site:
            uid, slices = _hospital(site, files, work, found)
            with sync_playwright() as playwright:
                browser = chromium(playwright)
                _film(site, browser, uid, slices, 1 if quick else 5, found)
                browser.close()
            _memory(site, found)
            _many(site, work, (1, 10) if quick else (1, 10, 100), found)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    after = figures.machine()["load"][0]
    print(f"\nstudy: {study}; load {before['load'][0]} before, {after} after; {before['cores']} cores, {before['model']}")
    print(figures.table(found))
    figures.write(RESULTS, found, before, study)
    print(f"{time.monotonic() - began:.0f} s; also in {RESULTS.relative_to(ROOT)}")


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _unpacked(work: Path) -> tuple[list[Path], str]:
    files, study = studies.demo(work / "demo")
    flat = work / "files"
    flat.mkdir()
    return [Path(shutil.copy(path, flat / path.name)) for path in files], study


def _hospital(site: Site, files: list[Path], work: Path, found: list[Figure]) -> tuple[str, list[studies.Slice]]:
    """Sending, publishing and the gateway's memory. Returns the study of 300 frames."""
    import pydicom

    _say("sending the demo series")
    count = len(files)
    copy = sender.copy_floor(files, work / "copied")
    floor = sender.storescp_floor(files[0].parent, work / "scp")
    gateway = child_named(site, "gateway")
    database = Database(f"sqlite:///{site.home}/records.sqlite")
    uid, slices = studies.thrice(files, work / "thrice")
    demo_uid = str(pydicom.dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
    sender.storescu(studies.small(2, work / "first"), site.dicom_port, "CLOUDFILM")  # not measured: a gateway's first association
    time.sleep(QUIET_S + 4)  # and its publication, which starts the encoders
    with Watch(gateway) as watch:
        seconds = sender.storescu(files[0].parent, site.dicom_port, "CLOUDFILM")
        after_demo = _registered(site, database, demo_uid, count)
        _say("sending the series of 300")
        seconds_300 = sender.storescu(work / "thrice", site.dicom_port, "CLOUDFILM")
        after_300 = _registered(site, database, uid, studies.FRAMES)
    database.close()
    rate = "instances/s"
    found += [
        Figure(f"storescu of {count} CT, acknowledged", count / seconds, rate, 100, count / floor, "storescp", least=True),
        Figure("  the same, file copy with fsync", count / copy, rate, note="floor of durable"),
        Figure("storescu of 300 CT, acknowledged", studies.FRAMES / seconds_300, rate, 100, count / floor, "storescp", least=True),
        Figure(f"published after finished, {count} CT", after_demo, "s", 15, copy, "copy with fsync"),
        Figure("published after finished, 300 CT", after_300, "s", None),
        Figure("gateway with all its children, highest", watch.peak, "MB", 500, note=f"itself {highest_mb(gateway):.0f} MB"),
    ]
    return uid, slices


def _registered(site: Site, database: Database, uid: str, instances: int) -> float:
    """Wait until the records show the whole study; seconds since it was finished (QUIET_S after now)."""
    finished = time.monotonic() + QUIET_S
    while time.monotonic() < finished + 300:
        with database.read() as c:
            study = records.by_uid(c, "hospital", uid)
        if study is not None and study.revision and study.instances == instances:
            return max(0.0, time.monotonic() - finished)
        time.sleep(0.1)
    raise SystemExit(f"bench: the study was not published within 300 s; logs were in {site.home}/logs")


def _film(site: Site, browser: Browser, uid: str, slices: list[studies.Slice], runs: int, found: list[Figure]) -> None:
    [link] = site.command("link", "issue", "--study", uid, "--json")
    door, answer = link["url"], link["answer"]
    floor_port, bare_port = free_ports(2)
    phone = Phone(browser)
    with _through(NEAR, site.public_port, site.port):
        _, address = phone.answer(door, answer)  # not measured: the first request of each worker loads templates
        film = address.split("#")[0]
        _sizes(phone, film, found)
        _bits(phone, film, slices, found)
    with program(sys.executable, "-m", "bench.floor", str(floor_port)) as floor:
        wait_for_port(floor_port, floor)
        for profile in (SLOW, FAST):
            with _through(profile, site.public_port, site.port), _through(profile, bare_port, floor_port):
                _say(f"the film on the {profile.name} link")
                _loads(profile, phone, film, f"http://127.0.0.1:{bare_port}/", runs, found)
                _say(f"answer to picture on the {profile.name} link")
                asked = [phone.answer(door, answer)[0]["windowable"] for _ in range(runs)]
                limit = 1.1 if profile is SLOW else None
                found.append(Figure(f"{profile.name}: answer → picture", median(asked), "s", limit, note=_spread(asked)))
    found.append(Figure("connections closed without an answer", phone.unanswered, "", 0))


def _loads(profile: Profile, phone: Phone, film: str, bare: str, runs: int, found: list[Figure]) -> None:
    """Page and floor by turns, so that both meet the same machine."""
    pages: list[Marks] = []
    floors: list[float] = []
    for _ in range(runs):
        floors.append(phone.load(bare, "windowable")["windowable"])
        pages.append(phone.load(film, "windowable"))
    whole = [phone.load(film, "all", 14 if profile is SLOW else 4) for _ in range(min(runs, 3))]
    floor, first = median(floors), [page["windowable"] for page in pages]
    found.append(
        Figure(f"{profile.name}: page → windowable picture", median(first), "s", 1.4 * floor, floor, "bare page", note=_spread(first))
    )
    frame_bytes, preview_bytes = _bytes(phone, film)
    slow = profile is SLOW
    for mark, what, limit, bytes_ in (
        ("every16", "every 16th of 300", 2.2, 0),
        ("exact", "current frame exact", 2.6 + frame_bytes / profile.bytes_s, frame_bytes),
        ("all", "all 300 previews", 1.2 * preview_bytes / profile.bytes_s + 1.5, preview_bytes),
    ):
        if mark in whole[0]:
            times = [load[mark] for load in whole]
            least = bytes_ / profile.bytes_s if bytes_ else None
            note = _spread(times) + (f"; {bytes_ / 1000:.0f} KB" if bytes_ else "")
            found.append(Figure(f"{profile.name}: {what}", median(times), "s", limit if slow else None, least, "bytes ÷ rate", note=note))


def _bytes(phone: Phone, film: str) -> tuple[int, int]:
    """Bytes of the key frame's exact frame and of all previews."""
    import json
    import re

    html = gzip.decompress(phone.fetch(film)).decode()
    given = re.search(r'id="film-data">(.*?)</script>', html, re.S)
    assert given is not None
    head = json.loads(given[1])["stacks"][0]
    return int(head["keyExact"][1]), int(head["size"])


def _sizes(phone: Phone, film: str, found: list[Figure]) -> None:
    sent = phone.fetch(film)
    packed = sent if sent[:2] == b"\x1f\x8b" else gzip.compress(sent, 6)
    html = gzip.decompress(packed).decode()
    scripts = scripts_of(film, html)
    inline = (ROOT / "static" / "dist" / "inline.js").read_bytes()
    sizes = {url.rpartition("/")[2].split("?")[0]: _gzipped(phone.fetch(url)) for url in scripts} | {
        "inline.js": len(gzip.compress(inline, 9))
    }
    note = "as sent" if packed is sent else "sent unpacked; gzip 6 here"
    found.append(Figure("film page, HTML gzip, key frame in it", len(packed) / 1000, "KB", 14, note=note))
    told = ", ".join(f"{name} {size / 1000:.1f}" for name, size in sizes.items())
    found.append(Figure("viewer, all JavaScript gzip", sum(sizes.values()) / 1000, "KB", 30, note=told))


def _gzipped(body: bytes) -> int:
    return len(body) if body[:2] == b"\x1f\x8b" else len(gzip.compress(body, 9))


def _bits(phone: Phone, film: str, slices: list[studies.Slice], found: list[Figure]) -> None:
    _say("exact frames, bit for bit")
    frames = [round(n * (len(slices) - 1) / (EXACT_FRAMES - 1)) for n in range(EXACT_FRAMES)]
    hashes, rows, _ = phone.exact_hashes(film, frames)
    received = {round(s.position, 2): s.sha256 for s in slices}
    if not {round(row[6], 2) for row in rows} == set(received):
        raise SystemExit("bench: the film's slice positions are not those that were sent")
    right = sum(received[round(rows[f][6], 2)] == seen for f, seen in zip(frames, hashes, strict=True))
    found.append(Figure("exact frames equal to the received cells", right, f"of {len(frames)}", len(frames), least=True, note="SHA-256"))


def _memory(site: Site, found: list[Figure]) -> None:
    web = child_named(site, "web")
    workers = [highest_mb(pid) for pid in children(web)]
    found.append(Figure("web worker, highest", max(workers), "MB", 150, note=f"of {len(workers)} workers"))


def _many(site: Site, work: Path, counts: tuple[int, ...], found: list[Figure]) -> None:
    """Small studies: the time of each must not grow with their number."""
    each: dict[int, float] = {}
    for count in counts:
        _say(f"{count} small studies")
        told = site.command("ingest", "--json", str(studies.small(count, work / f"small-{count}")))
        each[count] = (max(study["seconds"] for study in told) - QUIET_S) / count
        limit = 1.3 * each[10] if count == 100 else None
        copy = sender.copy_floor(sorted((work / f"small-{count}").iterdir()), work / f"small-copied-{count}") / count
        found.append(Figure(f"{count} small studies: each", each[count], "s", limit, copy, "copy with fsync", note="4 slices of 64²"))


@contextmanager
def _through(profile: Profile, port: int, target: int) -> Iterator[None]:
    """A phone's link from `port` to `target`."""
    with program(sys.executable, "-m", "bench.slowlink", str(port), str(target), str(profile.kbit), str(profile.rtt_ms)) as link:
        wait_for_port(port, link)
        time.sleep(1.0)  # the probe's connection leaves the link
        yield


def _spread(times: list[float]) -> str:
    return f"{min(times):.2f}–{max(times):.2f} of {len(times)}"


if __name__ == "__main__":
    main()
