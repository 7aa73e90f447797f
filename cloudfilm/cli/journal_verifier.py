"""Stand-alone check of an exported journal. Standard library only; shares no code with the writer, on purpose.

    python journal_verifier.py EXPORT.jsonl [--key HEX]

EXPORT: one JSON object a line, {"row": {...}} or {"checkpoint": {...}} (docs/formats/journal.md). A row's hash is
SHA-256(previous + "\\n" + JSON list [lane, number, at, hospital, actor, action, object, reason, address, result]).
Prints "ok: ..." and exits 0, or names the first bad record and exits 1.
"""

import hashlib
import hmac
import json
import sys

FIELDS = ("lane", "number", "at", "hospital", "actor", "action", "object", "reason", "address", "result")


def first_fault(lines, key=None):  # type: ignore[no-untyped-def]
    """(None, rows, checkpoints) when whole, else (sentence naming the first bad record, rows, checkpoints)."""
    heads: dict = {}
    seen: dict = {}
    rows, points, expected = 0, 0, 1
    for line_number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            return f"line {line_number} is not JSON", rows, points
        if "row" in record:
            row = record["row"]
            lane, number = row["lane"], row["number"]
            last_number, last_hash = heads.get(lane, (0, "0" * 64))
            name = f"row {number} of lane {lane}"
            if number != last_number + 1:
                return f"{name}: row {last_number + 1} was expected here (removed, inserted or reordered)", rows, points
            if row["previous"] != last_hash:
                return f"{name}: it does not follow the row before it", rows, points
            text = json.dumps([row[field] for field in FIELDS], ensure_ascii=False, separators=(",", ":"))
            if hashlib.sha256((last_hash + "\n" + text).encode()).hexdigest() != row["hash"]:
                return f"{name}: its content is not what was written", rows, points
            heads[lane] = (number, row["hash"])
            seen[lane, number] = row["hash"]
            rows += 1
        else:
            point = record["checkpoint"]
            name = f"checkpoint {point['number']}"
            if point["number"] != expected:
                return f"{name}: checkpoint {expected} was expected here", rows, points
            text = f"{point['number']}\n{point['at']}\n{point['heads']}"
            if key and not hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), point["signature"]):
                return f"{name}: its signature is false", rows, points
            for lane, (number, digest) in json.loads(point["heads"]).items():
                if number and seen.get((int(lane), number)) != digest:
                    return f"row {number} of lane {lane}: {name} saw it otherwise (cut off or changed)", rows, points
            expected += 1
            points += 1
    return None, rows, points


def main(arguments):  # type: ignore[no-untyped-def]
    key = bytes.fromhex(arguments[arguments.index("--key") + 1]) if "--key" in arguments else None
    with open(arguments[0], encoding="utf-8") as lines:  # noqa: PTH123  stand-alone
        fault, rows, points = first_fault(lines, key)
    print(f"BAD: {fault}" if fault else f"ok: {rows} rows, {points} checkpoints, nothing changed, removed, inserted or reordered")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
