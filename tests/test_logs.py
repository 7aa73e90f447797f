"""What a log line says of an exception: where, never what it quotes."""

import io
import json
import logging

from cloudfilm.logs import JsonFormatter


def test_an_exceptions_text_never_reaches_the_log() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("probe")
    logger.addHandler(handler)
    try:
        raise ValueError("first line\n[parameters: ('陈志远', '4321')]\n(Background on this error at: …)")
    except ValueError:
        logger.exception("failed")
    line = json.loads(out.getvalue())
    assert line["exception"] == "ValueError"
    assert line["where"][-1].startswith("test_logs.py:")
    assert "4321" not in out.getvalue()
    assert "陈" not in out.getvalue()
