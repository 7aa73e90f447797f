"""The last resort for a series whose decoding breaks its child: every file kept as it came, nothing shown, nothing lost."""

import hashlib
from pathlib import Path
from typing import Any

from cloudfilm.imaging.header import read_header


def verbatim_series(paths: list[Path], out: Path) -> dict[str, Any]:
    """A series entry (contracts.md 1) whose instances are all verbatim without frames; writes out/exact. Deterministic."""
    instances: list[dict[str, Any]] = []
    whole, at, first = hashlib.sha256(), 0, None
    headers = sorted(((read_header(p.read_bytes()), p) for p in paths), key=lambda pair: pair[0].sop_instance_uid)
    with (out / "exact").open("wb") as file:
        for header, path in headers:
            first = first or header
            data = path.read_bytes()
            file.write(data)
            whole.update(data)
            instances.append(
                {
                    "sop_instance_uid": header.sop_instance_uid,
                    "sop_class_uid": header.sop_class_uid,
                    "at": at,
                    "stored": len(data),
                    "size": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "mode": "verbatim",
                    "syntax": header.transfer_syntax_uid,
                    "head": 0,
                    "cell": "",
                    "planar": 0,
                    "frames": [],
                    "why": "decoding it broke the decoder",
                }
            )
            at += len(data)
    assert first is not None  # a series has at least one file
    content_id = hashlib.sha256("\n".join(sorted(i["sha256"] for i in instances)).encode()).hexdigest()
    return {
        "series_instance_uid": first.series_instance_uid,
        "content_id": content_id,
        "number": first.series_number,
        "modality": first.modality,
        "description": first.series_description,
        "body_part": first.body_part,
        "exact": {"size": at, "sha256": whole.hexdigest()},
        "instances": instances,
        "stacks": [],
    }
