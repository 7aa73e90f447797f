"""Hash of one journal row over the row before it: a changed, removed, inserted or reordered row shows (SECURITY.md 5).

Canonical form: the fields' values in order, as UTF-8 JSON list without blanks; hash = SHA-256(previous hex + "\\n" + JSON).
"""

import hashlib
import json
from collections.abc import Sequence

GENESIS = "0" * 64


def row_hash(previous: str, values: Sequence[str | int | None]) -> str:
    """64 hex digits of a row's `values` chained to `previous` (64 hex; GENESIS for the first row of a lane)."""
    text = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
