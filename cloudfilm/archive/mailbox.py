"""The mailbox in the archive: letters lie in order of time until they are filed. Losing neither side's power loses a letter."""

from collections.abc import Iterator

from cloudfilm.domain.letters import Letter

from . import layout
from .contract import Archive, ArchiveMissing, sha256_of


def post(archive: Archive, hospital: str, box: str, letter: Letter) -> str:
    """Put a letter into a box; the same letter twice is one. Returns its key. A letter that is filed already is not put again."""
    at = letter.at.strftime("%Y%m%d%H%M%S%f")
    key = layout.letter(hospital, box, at, letter.id)
    data = letter.to_bytes()
    try:
        archive.stat(layout.filed(key))
    except ArchiveMissing:
        archive.put(key, data, sha256_of(data))
    return key


def unread(archive: Archive, hospital: str, box: str) -> Iterator[tuple[str, bytes]]:
    """(key, bytes) of the letters in a box, oldest first. Another reader may file one in between: it is passed over."""
    for key in list(archive.list(layout.mail(hospital, box))):
        try:
            yield key, archive.read(key)
        except ArchiveMissing:
            continue


def file(archive: Archive, key: str) -> None:
    """A letter is applied: keep it among the filed, then take it out of the box."""
    try:
        data = archive.read(key)
    except ArchiveMissing:
        return
    archive.put(layout.filed(key), data, sha256_of(data))
    archive.delete(key)
