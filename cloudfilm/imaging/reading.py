"""The files of one series, opened one at a time: facts first, cells when asked. At most two files are held in memory."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cloudfilm.imaging.elements import NotDicom, read_elements
from cloudfilm.imaging.facts import KEY_OBJECT, Facts, facts_of, key_references
from cloudfilm.imaging.frames import Frames, frames_of
from cloudfilm.imaging.header import Header, header_of
from cloudfilm.imaging.picture import CannotShow

_OPEN_MAX = 2


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the series. Without `facts` it is kept and listed, not shown; `why` says why."""

    path: Path
    sha256: str
    header: Header | None
    facts: Facts | None
    why: str
    keys: tuple[str, ...] = ()  # what a key object in the series points at

    @property
    def rank(self) -> tuple[str, str]:
        return (self.header.sop_instance_uid if self.header else "", self.sha256)


def survey(files: list[Path]) -> list[Member]:
    """Every different file once, in an order that does not depend on the order given."""
    members = {member.sha256: member for member in map(_member, files)}
    return sorted(members.values(), key=lambda member: member.rank)


def _member(path: Path) -> Member:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    header: Header | None = None
    try:
        elements = read_elements(data)
        header = header_of(elements)
        if header.sop_class_uid == KEY_OBJECT:
            return Member(path, sha256, header, None, "It is a key object: a list of pictures.", tuple(key_references(elements)))
        return Member(path, sha256, header, facts_of(elements, sha256), "")
    except (CannotShow, NotDicom) as reason:
        return Member(path, sha256, header, None, str(reason))
    except Exception:  # the net: one odd file must not cost its series; no detail, it could hold a name
        return Member(path, sha256, header, None, "Its header cannot be understood.")


class FrameReader:
    """Cells of any frame of the series' files."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._open: OrderedDict[int, Frames] = OrderedDict()

    def cells(self, instance: int, frame: int) -> np.ndarray:
        """Raises CannotShow when this frame cannot be decoded."""
        if instance not in self._open:
            self._open[instance] = frames_of(read_elements(self._paths[instance].read_bytes()))
            while len(self._open) > _OPEN_MAX:
                self._open.popitem(last=False)
        self._open.move_to_end(instance)
        return self._open[instance].cells(frame)

    def forget(self) -> None:
        """Let go of the files held in memory."""
        self._open.clear()
