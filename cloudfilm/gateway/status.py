"""What the gateway is doing, for people and progress bars: one small JSON file, counts and keys only."""

import json
import os
import threading
from pathlib import Path
from typing import Any

FILE = "gateway-status.json"
STUDIES_REMEMBERED = 100  # published ones; the file is read as a whole


class Status:
    """Figures of the running gateway, written to a file that any command may read."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._lock = threading.Lock()
        self._studies: dict[str, dict[str, Any]] = {}
        self._building: dict[str, list[Path]] = {}
        self._last = ""

    def received(self, study_key: str, instances: int, expected: int | None) -> None:
        with self._lock:
            self._studies.setdefault(study_key, {"built": 0}).update(received=instances, expected=expected, state="receiving")

    def building(self, study_key: str, progress: Path) -> None:
        with self._lock:
            self._building.setdefault(study_key, []).append(progress)
            self._studies.setdefault(study_key, {"built": 0})["state"] = "encoding"

    def published(self, study_key: str) -> None:
        with self._lock:
            self._building.pop(study_key, None)
            entry = self._studies.setdefault(study_key, {})
            entry.update(state="published", built=entry.get("received", 0))
            done = [key for key, study in self._studies.items() if study.get("state") == "published"]
            for key in done[:-STUDIES_REMEMBERED]:  # in the order of their first image
                del self._studies[key]

    def write(self, counts: dict[str, int]) -> None:
        """Write the file when something changed."""
        with self._lock:
            for study_key, files in self._building.items():
                self._studies[study_key]["built"] = sum(_number(path) for path in files)
            text = json.dumps({"pid": os.getpid(), **counts, "studies": self._studies}, sort_keys=True)
        if text == self._last:
            return
        beside = self._path.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self._path)
        self._last = text


def _number(path: Path) -> int:
    try:
        return int(path.read_text() or 0)
    except (OSError, ValueError):
        return 0


def read(home: Path) -> dict[str, Any]:
    """The last written figures; {} when no gateway has run here."""
    try:
        return json.loads((home / FILE).read_text())
    except (OSError, ValueError):
        return {}
