"""A report that came inside the study: a text SR as plain text, an Encapsulated PDF as its bytes (PS3.3 A.35, A.45)."""

from cloudfilm.imaging.charset import decode_text
from cloudfilm.imaging.elements import Elements, NotDicom, read_elements

SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.88.59"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"

_DEPTH_MAX = 24
_LINES_MAX = 5_000
_ASIDE = frozenset({"HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES"})  # who and how, not what was found


def sr_text(data: bytes) -> str | None:
    """The content tree of a Structured Report as indented lines; None when it is no SR or says nothing in words."""
    try:
        elements = read_elements(data)
    except NotDicom:
        return None
    sop_class = elements.text(0x00080016)
    if not sop_class.startswith(SR_CLASSES) or sop_class == KEY_OBJECT:
        return None
    lines: list[str] = []
    _walk(elements, elements.words(0x00080005), 0, lines)
    return "\n".join(lines) if any(line.strip() for line in lines) else None


def encapsulated_pdf(data: bytes) -> bytes | None:
    """The PDF inside an Encapsulated PDF instance, None when there is none."""
    try:
        elements = read_elements(data)
    except NotDicom:
        return None
    if elements.text(0x00080016) != ENCAPSULATED_PDF:
        return None
    document = elements.raw(0x00420011)
    said = (elements.longs(0x00420015) or (len(document),))[0]
    if 0 < said <= len(document):
        document = document[:said]
    begin = document.find(b"%PDF-", 0, 1024)
    return document[begin:].removesuffix(b"\0") if begin >= 0 else None


def _walk(parent: Elements, charset: tuple[str, ...], depth: int, lines: list[str]) -> None:
    if depth > _DEPTH_MAX:
        return
    for item in parent.items(0x0040A730, 2_000):
        if len(lines) >= _LINES_MAX:
            return
        if item.text(0x0040A010) in _ASIDE:
            continue
        name, value = _meaning(item, 0x0040A043, charset), _value(item, charset)
        kind = item.text(0x0040A040)
        indent = "  " * depth
        if kind == "CONTAINER" and name:
            lines.append(f"{indent}{name}")
        elif value:
            lines.append(f"{indent}{name}：{value}" if name else f"{indent}{value}")
        _walk(item, charset, depth + (kind == "CONTAINER" and bool(name)), lines)


def _value(item: Elements, charset: tuple[str, ...]) -> str:
    kind = item.text(0x0040A040)
    if kind == "TEXT":
        text, _ = decode_text(item.raw(0x0040A160), charset)
        return text
    if kind == "CODE":
        return _meaning(item, 0x0040A168, charset)
    if kind == "NUM":
        measured = item.items(0x0040A300, 1)
        if not measured:
            return ""
        unit = _meaning(measured[0], 0x004008EA, charset)
        return f"{measured[0].text(0x0040A30A)} {unit}".strip()
    if kind in ("DATE", "TIME", "DATETIME"):
        return item.text({"DATE": 0x0040A121, "TIME": 0x0040A122, "DATETIME": 0x0040A120}[kind])
    return ""


def _meaning(item: Elements, tag: int, charset: tuple[str, ...]) -> str:
    coded = item.items(tag, 1)
    if not coded:
        return ""
    text, _ = decode_text(coded[0].raw(0x00080104), charset)
    return text
