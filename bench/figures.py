"""What is printed: each figure with its limit and its floor of the same run."""

import json
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`value`, `limit` and `floor` in `unit`; `least`: the value must be at least the limit, not at most."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    floor: float | None = None
    floor_is: str = ""
    least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return "ok" if (self.value >= self.limit if self.least else self.value <= self.limit) else "NOT MET"


def table(figures: Sequence[Figure]) -> str:
    """As text in columns, for a terminal."""
    rows = [("figure", "value", "wanted", "", "floor of this run", "note")]
    for f in figures:
        wanted = "" if f.limit is None else f"{'≥' if f.least else '≤'} {_number(f.limit)} {f.unit}"
        floor = "" if f.floor is None else f"{_number(f.floor)} {f.unit} {f.floor_is}".strip()
        rows.append((f.name, f"{_number(f.value)} {f.unit}", wanted, f.verdict, floor, f.note))
    widths = [max(_wide(row[column]) for row in rows) for column in range(6)]
    return "\n".join("  ".join(cell + " " * (w - _wide(cell)) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def machine() -> dict[str, Any]:
    """Cores and the load of the last 1, 5 and 15 minutes."""
    words = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in words if line.startswith("model name")), "")
    return {"cores": os.cpu_count(), "model": model, "load": [round(load, 2) for load in os.getloadavg()]}


def write(path: Path, figures: Sequence[Figure], before: dict[str, Any], study: str) -> None:
    told: dict[str, Any] = {"machine": before, "load_after": machine()["load"], "study": study}
    told["figures"] = [{**asdict(f), "verdict": f.verdict} for f in figures]
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
