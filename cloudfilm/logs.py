"""Logs as JSON lines on stderr. They carry row ids and counts; never a token, an answer, a name or a number of a person."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and what was given as `extra`.

    Of an exception only its type and the places in the code: its text may quote a row, a name, a header.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["exception"] = record.exc_info[0].__name__ if record.exc_info[0] else "unknown"
            line["where"] = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in extract_tb(record.exc_info[2])[-4:]]
        return json.dumps(line, ensure_ascii=False, default=str)


def start(level: str = "INFO") -> None:
    """Send every logger of the process to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
