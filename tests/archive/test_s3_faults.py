"""A real S3 behind a line that breaks: an upload or download recovers, or says honestly that it did not happen."""

import hashlib
import os

import pytest

from cloudfilm.archive import s3
from cloudfilm.archive.contract import ArchiveMissing, ArchiveRefused, ArchiveUnavailable
from cloudfilm.archive.s3 import READ_TRIES, TRIES, S3Archive
from tests.faultproxy import Fault, FaultProxy, Kind

KEY = "h/series/0a.exact"
DATA = os.urandom(600_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def archive(s3_url: str, fault_proxy: FaultProxy) -> S3Archive:
    return S3Archive.from_url(s3_url, fault_proxy.endpoint)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", Kind.UNAVAILABLE),
        Fault("PUT", Kind.RESET_UPLOAD, after=200_000),
        Fault("PUT", Kind.RESET_ANSWER),  # stored, but we are not told: the second try meets its own object
        Fault("HEAD", Kind.UNAVAILABLE),
        Fault("HEAD", Kind.RESET_ANSWER),
    ],
)
def test_an_upload_recovers_from_a_line_that_breaks_once(archive: S3Archive, fault_proxy: FaultProxy, fault: Fault) -> None:
    fault_proxy.plan(fault)
    archive.put(KEY, DATA, SHA)
    assert fault_proxy.met == [fault]
    assert archive.read(KEY) == DATA and archive.stat(KEY).sha256 == SHA


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.RESET_UPLOAD])
def test_an_upload_over_a_line_that_stays_broken_is_unavailable_and_stores_nothing(
    archive: S3Archive, fault_proxy: FaultProxy, kind: Kind
) -> None:
    fault_proxy.plan(*[Fault("PUT", kind, after=1000)] * TRIES)
    with pytest.raises(ArchiveUnavailable):
        archive.put(KEY, DATA, SHA)
    assert len(fault_proxy.met) == TRIES
    with pytest.raises(ArchiveMissing):
        archive.stat(KEY)
    archive.put(KEY, DATA, SHA)
    assert archive.read(KEY) == DATA


@pytest.mark.parametrize("start", [0, 12_345])
@pytest.mark.parametrize("kind", [Kind.RESET_ANSWER, Kind.CUT_ANSWER])
def test_a_download_is_taken_up_where_it_broke(archive: S3Archive, fault_proxy: FaultProxy, kind: Kind, start: int) -> None:
    archive.put(KEY, DATA, SHA)
    fault_proxy.plan(Fault("GET", kind, after=300_000), Fault("GET", kind, after=100_000))
    assert archive.read(KEY, start, 580_000) == DATA[start : start + 580_000]
    assert len(fault_proxy.met) == 2


@pytest.mark.parametrize("kind", [Kind.RESET_ANSWER, Kind.CUT_ANSWER])
def test_a_download_that_keeps_breaking_is_unavailable_never_short(archive: S3Archive, fault_proxy: FaultProxy, kind: Kind) -> None:
    archive.put(KEY, DATA, SHA)
    fault_proxy.plan(*[Fault("GET", kind, after=50_000)] * READ_TRIES)
    with pytest.raises(ArchiveUnavailable):
        archive.read(KEY)


def test_a_download_recovers_from_503(archive: S3Archive, fault_proxy: FaultProxy) -> None:
    archive.put(KEY, DATA, SHA)
    fault_proxy.plan(Fault("GET", Kind.UNAVAILABLE))
    assert archive.read(KEY) == DATA


@pytest.mark.parametrize(
    "fault", [Fault("PUT", Kind.RESET_UPLOAD, after=2_000_000), Fault("PUT", Kind.RESET_ANSWER), Fault("POST", Kind.RESET_ANSWER)]
)
def test_a_large_object_goes_in_parts_and_recovers(s3_url: str, fault_proxy: FaultProxy, fault: Fault) -> None:
    data = os.urandom(12 << 20)
    whole = S3Archive.from_url(s3_url, fault_proxy.endpoint)
    archive = S3Archive(whole._client, *s3_url.removeprefix("s3://").split("/"), part=5 << 20)
    fault_proxy.plan(fault)
    archive.put(KEY, data, hashlib.sha256(data).hexdigest())
    assert fault_proxy.met == [fault]
    assert archive.read(KEY) == data and archive.stat(KEY).sha256 == hashlib.sha256(data).hexdigest()
    with pytest.raises(ArchiveRefused):
        archive.put(KEY, data[1:], hashlib.sha256(data[1:]).hexdigest())
    assert archive.read(KEY) == data


def test_nobody_listening_is_unavailable(s3_url: str, fault_proxy: FaultProxy) -> None:
    archive = S3Archive.from_url(s3_url, "http://127.0.0.1:1")
    for call in (lambda: archive.stat(KEY), lambda: archive.put(KEY, DATA, SHA), lambda: list(archive.list("h/"))):
        with pytest.raises(ArchiveUnavailable):
            call()


def test_wrong_or_missing_credentials_wait_for_a_person(
    s3_url: str, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ArchiveRefused, match="denies"):
        S3Archive.from_url(s3_url, fault_proxy.endpoint).put(KEY, DATA, SHA)
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name)
    for name, value in {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ArchiveRefused, match="AWS_ACCESS_KEY_ID"):
        S3Archive.from_url(s3_url, fault_proxy.endpoint).put(KEY, DATA, SHA)


def test_a_store_without_the_condition_is_asked_first(s3_url: str, fault_proxy: FaultProxy) -> None:
    archive = S3Archive.from_url(s3_url, fault_proxy.endpoint)
    archive._conditions = False
    archive.put(KEY, DATA, SHA)
    archive.put(KEY, DATA, SHA)
    with pytest.raises(ArchiveRefused):
        archive.put(KEY, DATA[1:], hashlib.sha256(DATA[1:]).hexdigest())
    assert archive.read(KEY) == DATA
    assert len(DATA) < s3.PART
