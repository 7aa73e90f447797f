"""Where the demo runs: ports and the certificate for a phone."""

import contextlib
import socket
import ssl
from pathlib import Path

from tools import place


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = place.free_port("127.0.0.1", [None, port, *range(port + 1, port + 50)])
        assert free is not None and free != port


def test_the_certificate_is_for_the_address_and_is_kept(tmp_path: Path) -> None:
    certificate, key = place.self_signed(tmp_path / "tls", "127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    ours, theirs = socket.socketpair()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    answering_in, answering_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    answering = server.wrap_bio(answering_in, answering_out, server_side=True)
    ours.close(), theirs.close()
    for _ in range(6):  # a handshake, by hand: bytes of one are the other's
        for side in (client, answering):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            answering_in.write(outgoing.read())
            incoming.write(answering_out.read())
    assert client.getpeercert()["subjectAltName"] == (("IP Address", "127.0.0.1"),)
    assert key.stat().st_mode & 0o077 == 0
    before = certificate.read_bytes()
    assert place.self_signed(tmp_path / "tls", "127.0.0.1")[0].read_bytes() == before
