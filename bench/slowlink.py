"""A TCP forwarder that behaves like a phone's link: python -m bench.slowlink LISTEN TARGET KBIT_PER_S RTT_MS

One bottleneck shared by all connections; half the round trip each way; two round trips before the first byte of a connection
(TCP and TLS 1.3); slow start from ten segments, doubling each round trip; a queue of 250 ms before the bottleneck.
"""

import asyncio
import contextlib
import sys

FIRST_WINDOW = 14_600  # bytes: ten segments (RFC 6928)
LARGEST_WINDOW = 1 << 20
PIECE = 2_920  # bytes: two segments
QUEUE_S = 0.25
IDLE_S = 1.0  # then slow start begins again


class Link:
    """The shared bottleneck towards the phone. `rate`: bytes a second; `rtt`: seconds."""

    def __init__(self, rate: float, rtt: float) -> None:
        self.rate, self.rtt = rate, rtt
        self._free = 0.0  # when the bottleneck is idle again

    async def connection(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self.rtt)
        try:
            answers, asks = await asyncio.open_connection("127.0.0.1", target)
        except OSError as error:
            print(f"the site took no connection: {error}", file=sys.stderr, flush=True)
            writer.close()
            return
        for ended in await asyncio.gather(self._up(reader, asks, writer), self._down(answers, writer), return_exceptions=True):
            if isinstance(ended, BaseException):
                print(f"a connection ended with {ended!r}", file=sys.stderr, flush=True)

    async def _up(self, reader: asyncio.StreamReader, asks: asyncio.StreamWriter, phone: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                loop.call_later(self.rtt / 2, asks.write, data)
        phone.close()
        loop.call_later(self.rtt / 2 + 0.01, asks.close)

    async def _down(self, answers: asyncio.StreamReader, phone: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        window, sent, start = FIRST_WINDOW, 0, 0.0
        while data := await answers.read(PIECE):
            if phone.is_closing():  # the phone aborted: the server hears of it as of a reset
                break
            now = loop.time()
            if now - start > IDLE_S and self._free < now - IDLE_S:
                window, sent, start = FIRST_WINDOW, 0, now
            if now - start >= self.rtt:  # a round trip has passed: acknowledged
                window, sent, start = min(window * 2, LARGEST_WINDOW), 0, now
            if sent + len(data) > window:
                await asyncio.sleep(max(0.0, start + self.rtt - now))
                window, sent, start = min(window * 2, LARGEST_WINDOW), 0, loop.time()
            sent += len(data)
            now = loop.time()
            self._free = max(self._free, now) + len(data) / self.rate
            loop.call_at(self._free + self.rtt / 2, phone.write, data)
            if self._free - now > QUEUE_S:
                await asyncio.sleep(self._free - now - QUEUE_S)
        loop.call_at(max(self._free, loop.time()) + self.rtt / 2 + 0.01, phone.close)


async def serve(listen: int, target: int, link: Link) -> None:
    server = await asyncio.start_server(lambda r, w: link.connection(target, r, w), "127.0.0.1", listen)
    await server.serve_forever()


if __name__ == "__main__":
    listen_port, target_port, kbit, rtt_ms = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    asyncio.run(serve(listen_port, target_port, Link(kbit * 125, rtt_ms / 1000)))
