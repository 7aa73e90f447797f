"""From a manifest's series to the rows that pages are made of (contracts.md 2 and 5)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudfilm.records.stacks import Stack

# A head says what the viewer needs at once; these parts of a manifest's stack are kept beside it or only in the manifest.
_NOT_IN_HEAD = ("frames", "thumb", "keyframe", "n", "preview")


def stacks_of(manifest: Mapping[str, Any]) -> Iterator[Stack]:
    """Rows of every stack of a manifest, in its order."""
    position = 0
    for series in manifest["series"]:
        for stack in series["stacks"]:
            yield _stack(manifest, series, stack, position)
            position += 1


def _stack(manifest: Mapping[str, Any], series: Mapping[str, Any], stack: Mapping[str, Any], position: int) -> Stack:
    frames = [_frame(series["instances"], entry) for entry in stack["frames"]]
    stack_id = f"{series['content_id']}-{stack['n']}"
    head = {name: value for name, value in stack.items() if name not in _NOT_IN_HEAD}
    first = series["instances"][stack["frames"][0][0]]
    head.update(id=stack_id, size=stack["preview"]["size"], keyExact=frames[stack["key"]][:6])
    head.update(cell=first.get("cell", ""), planar=first.get("planar", 0))  # how the cells of `raw` frames lie
    return Stack(
        hospital=manifest["hospital"],
        study_key=manifest["study_key"],
        revision=manifest["revision"],
        position=position,
        id=stack_id,
        content_id=series["content_id"],
        title=stack["title"],
        modality=stack["modality"],
        count=stack["count"],
        head=_json(head),
        frames=_json(frames),
        keyframe=stack["keyframe"],
        thumb=stack["thumb"],
        preview_key=stack["preview"]["key"],
        preview_size=stack["preview"]["size"],
        preview_sha256=stack["preview"]["sha256"],
        exact_key=series["exact"]["key"],
        exact_size=series["exact"]["size"],
        exact_sha256=series["exact"]["sha256"],
    )


def _frame(instances: list[Mapping[str, Any]], entry: list[Any]) -> list[Any]:
    """[absolute offset, size, bias, codec, green, crc32, position, slope, intercept]; [] for a frame that could not be decoded."""
    index, number, *rest = entry
    instance = instances[index]
    found = instance["frames"][number]
    if found is None:
        return []
    at, *exact = found
    return [instance["at"] + at, *exact, *rest]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
