"""A line between us and a server that breaks where it is told to: what a hospital's network does to an upload."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

_REQUEST = re.compile(rb"([A-Z]+) \S+ HTTP/1\.1\r\n")


class Kind(Enum):
    """What happens to a request."""

    RESET_UPLOAD = auto()  # the connection is reset when `after` bytes of the request have passed
    RESET_ANSWER = auto()  # the request arrives; the connection is reset when `after` bytes of the answer have passed
    CUT_ANSWER = auto()  # as above, but closed in good order: the answer is merely short
    UNAVAILABLE = auto()  # 503, and the server never hears of it


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the next request with this method."""

    method: str
    kind: Kind
    after: int = 0


class FaultProxy:
    """Forwards TCP from a free port to `target`; each planned fault meets one request, in order, the rest passes."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._plan: list[Fault] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.met: list[Fault] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def plan(self, *faults: Fault) -> None:
        with self._lock:
            self._plan.extend(faults)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._open:
                _close(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                self._open |= {client, server}
            line = _Line(client, server)
            threading.Thread(target=line.up, args=(self._fault_of,), daemon=True).start()
            threading.Thread(target=line.down, daemon=True).start()

    def _fault_of(self, request: bytes) -> Fault | None:
        """The planned fault that a piece of upstream bytes meets, when it begins a request."""
        begins = _REQUEST.match(request)
        with self._lock:
            if begins and self._plan and self._plan[0].method.encode() == begins[1]:
                self.met.append(self._plan.pop(0))
                return self.met[-1]
        return None


class _Line:
    """One connection. HTTP/1.1 without pipelining: a piece that looks like a request line begins a request."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server
        self._answer: Fault | None = None

    def up(self, fault_of: Callable[[bytes], Fault | None]) -> None:
        passing: int | None = None  # bytes that still pass before the reset
        while piece := _receive(self._client):
            fault = fault_of(piece)
            if fault and fault.kind is Kind.UNAVAILABLE:
                self._refuse()
                return
            if fault and fault.kind is Kind.RESET_UPLOAD:
                passing = fault.after
            elif fault:
                self._answer = fault
            if passing is not None and len(piece) >= passing:
                _send(self._server, piece[:passing])
                _reset(self._client)
                _close(self._server)
                return
            passing = None if passing is None else passing - len(piece)
            _send(self._server, piece)
        _close(self._server)

    def down(self) -> None:
        passed = 0
        while piece := _receive(self._server):
            fault = self._answer
            if fault and passed + len(piece) > fault.after:
                _send(self._client, piece[: fault.after - passed])
                (_reset if fault.kind is Kind.RESET_ANSWER else _close)(self._client)
                _close(self._server)
                return
            passed = passed + len(piece) if fault else 0
            _send(self._client, piece)
        _close(self._client)

    def _refuse(self) -> None:
        _send(self._client, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        _close(self._client)
        _close(self._server)


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(65536)
    except OSError:
        return b""


def _send(one: socket.socket, data: bytes) -> None:
    try:
        one.sendall(data)
    except OSError:
        return


def _reset(one: socket.socket) -> None:
    """RST instead of FIN."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _close(one)


def _close(one: socket.socket) -> None:
    # shutdown first: another thread may sleep in recv() on this socket, which close() alone does not wake.
    # A reset must not be preceded by FIN, so only the reading half is shut for it.
    lingers = struct.unpack("ii", one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0] if one.fileno() >= 0 else 0
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RD if lingers else socket.SHUT_RDWR)
    one.close()
