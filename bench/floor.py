"""The floor of a page: nothing but one picture of 30 KB in it, from the same kind of server: python -m bench.floor PORT"""

import base64
import io
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from gunicorn.app.base import BaseApplication
from PIL import Image

PICTURE_BYTES = 30_000


def picture() -> bytes:
    """A WebP of 512² of just under PICTURE_BYTES."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:512, 0:512]
    smooth = 128 + 60 * np.sin(x / 37) * np.cos(y / 29)
    best = b""
    for noise in range(1, 60):
        out = io.BytesIO()
        cells = np.clip(smooth + rng.normal(0, noise / 2, (512, 512)), 0, 255).astype(np.uint8)
        Image.fromarray(cells).save(out, "webp", quality=80)
        if len(out.getvalue()) > PICTURE_BYTES:
            break
        best = out.getvalue()
    return best


def page() -> bytes:
    shown = base64.b64encode(picture()).decode()
    return f"""<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>floor</title>
<img id="p" width="390" src="data:image/webp;base64,{shown}">
<script>document.getElementById('p').decode().then(() => performance.mark('windowable'))</script>""".encode()


class _Server(BaseApplication):
    def __init__(self) -> None:
        self._page = page()
        super().__init__()

    def load_config(self) -> None:
        values = {"bind": f"127.0.0.1:{sys.argv[1]}", "workers": 2, "worker_class": "gthread", "threads": 8, "control_socket_disable": True}
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(self._page)))])
            return [self._page]

        return app


if __name__ == "__main__":
    _Server().run()
