"""gunicorn with threads: what `cloudfilm web` and `cloudfilm up` run. Logs hold no address line, no token, no header of a visitor."""

import logging
import socket
import struct
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from cloudfilm import logs
from cloudfilm.keys import Keys
from cloudfilm.settings import Settings

from .headers import ALWAYS, content_security_policy

THREADS = 8
TIMEOUT_S = 60
GRACE_S = 10
SLOW_READ_S, SLOW_WRITE_S = 10, 30  # of one pause: a visitor who falls silent does not keep a thread
REQUESTS_A_WORKER = 20_000  # then it is replaced: what leaks in a library stays small


class QuietLogger(Logger):
    """gunicorn's log as JSON lines, without the parts that quote a request."""

    def setup(self, cfg: Any) -> None:
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True
        self.error_log.handlers.clear()

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """The site's own access log says which route was asked (web/access.py)."""


class QuietWorker(ThreadWorker):
    """Answers what is no HTTP with the headers of every answer, and logs the kind of error only: its text quotes the request."""

    def handle(self, conn: Any) -> Any:
        # Kernel time-outs: gunicorn sets its sockets to blocking without one, before each request.
        for option, seconds in ((socket.SO_RCVTIMEO, SLOW_READ_S), (socket.SO_SNDTIMEO, SLOW_WRITE_S)):
            conn.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))
        return super().handle(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        ours = not isinstance(exc, Exception) or type(exc).__module__.partition(".")[0] not in ("gunicorn", "ssl")
        self.log.warning("request %s (%s)", "failed" if ours else "not understood", type(exc).__name__)
        status = b"500 Internal Server Error" if ours else b"400 Bad Request"
        lines = [f"{name}: {value}" for name, value in ALWAYS.items()]
        lines += [f"Content-Security-Policy: {content_security_policy('')}", "Cache-Control: no-store"]
        lines += ["Content-Length: 0", "Connection: close"]
        try:
            client.sendall(b"HTTP/1.1 " + status + b"\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n")
        except OSError:
            self.log.debug("the visitor has gone")


class Server(BaseApplication):
    """One site on one address."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings, self._keys = settings, keys
        super().__init__()

    def load_config(self) -> None:
        s = self._settings
        values: dict[str, object] = {
            "bind": f"[{s.host}]:{s.port}" if ":" in s.host else f"{s.host}:{s.port}",
            "workers": s.web_workers,
            "worker_class": QuietWorker,
            "threads": THREADS,
            "timeout": TIMEOUT_S,
            "graceful_timeout": GRACE_S,
            "keepalive": 15,
            "max_requests": REQUESTS_A_WORKER,
            "max_requests_jitter": REQUESTS_A_WORKER // 10,
            "limit_request_line": 2048,
            "limit_request_fields": 60,
            "limit_request_field_size": 8190,
            "logger_class": QuietLogger,
            "control_socket_disable": True,
            "proc_name": "cloudfilm-web",
            "worker_tmp_dir": "/dev/shm",
            "forwarded_allow_ips": "",  # whom to believe is decided in web/address.py
        }
        if s.tls_certificate is not None:
            values.update(certfile=str(s.tls_certificate), keyfile=str(s.tls_key) if s.tls_key else None)
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called in each worker after the fork: connections are never shared."""
        from . import create_app

        return create_app(self._settings, self._keys)


def run(settings: Settings, keys: Keys) -> None:
    """Serve until told to stop (SIGTERM, SIGINT)."""
    # Loaded before the workers fork: they share its memory, and it is read once, not once a worker. It opens nothing.
    from cloudfilm.records import database  # noqa: F401

    from . import film, patient, series  # noqa: F401

    logs.start(settings.log_level)
    Server(settings, keys).run()
