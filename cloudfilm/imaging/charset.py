"""Text of a DICOM file, whatever its Specific Character Set says (PS3.5 6.1, PS3.3 C.12.1.1.2).

In Chinese hospitals the declaration is often missing or wrong. The order (DOMAIN.md 2.4): as declared; when the bytes contradict
it, UTF-8, then GB18030, with a flag; else Latin-1 with a flag. Bytes are decoded before they are split at `\\`, `^` or `=`, because
the second byte of a GBK character may be any of these. Big5 and other guesses are not made: a wrong name is worse than none.
"""

import re
import unicodedata

ENDED = "charset-truncated"  # the last character was cut in the middle
GUESSED = "charset-guessed"  # not as declared; UTF-8 or GB18030 fits
INVALID = "charset-invalid"  # nothing fits: shown byte for byte as Latin-1, a person must look

_CODECS = {  # PS3.3 C.12.1.1.2, tables C.12-2 to C.12-5; spellings without spaces and underscores, see _codec
    "": "ascii",
    "IR6": "ascii",
    "IR100": "latin-1",
    "IR101": "iso8859_2",
    "IR109": "iso8859_3",
    "IR110": "iso8859_4",
    "IR144": "iso8859_5",
    "IR127": "iso8859_6",
    "IR126": "iso8859_7",
    "IR138": "iso8859_8",
    "IR148": "iso8859_9",
    "IR203": "iso8859_15",
    "IR166": "iso8859_11",
    "IR13": "shift_jis",
    "IR87": "iso2022_jp",
    "IR159": "iso2022_jp_2",
    "IR149": "euc_kr",
    "IR58": "gb2312",
    "IR192": "utf-8",
    "UTF8": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
_ESCAPES = {  # escape sequence -> codec of the bytes up to the next escape (PS3.3 table C.12-3, C.12-4)
    b"\x1b(B": "ascii",
    b"\x1b(J": "shift_jis",
    b"\x1b)I": "shift_jis",
    b"\x1b-A": "latin-1",
    b"\x1b-B": "iso8859_2",
    b"\x1b-C": "iso8859_3",
    b"\x1b-D": "iso8859_4",
    b"\x1b-L": "iso8859_5",
    b"\x1b-G": "iso8859_6",
    b"\x1b-F": "iso8859_7",
    b"\x1b-H": "iso8859_8",
    b"\x1b-M": "iso8859_9",
    b"\x1b-b": "iso8859_15",
    b"\x1b-T": "iso8859_11",
    b"\x1b$B": "jis0208",
    b"\x1b$(D": "jis0212",
    b"\x1b$)C": "euc_kr",
    b"\x1b$)A": "gb2312",
}
_ESCAPE = re.compile(rb"\x1b(?:\$\([A-Z]|\$\)[A-Z]|\$[A-Z]|[()\-.][A-Za-z])")
_HIGH = re.compile(rb"[\x80-\xff]+")


def decode_text(raw: bytes, declared: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """-> (text without padding, flags: what had to be repaired). `declared`: the values of (0008,0005). Never raises."""
    raw = raw.rstrip(b" \0")
    if b"\x1b" not in raw and raw.isascii():
        return _clean(raw.decode("ascii")), ()
    if b"\x1b" in raw:
        return _with_escapes(raw, declared)
    return _without_escapes(raw, declared)


def declared_sets(words: tuple[str, ...]) -> tuple[str, ...]:
    """The values of (0008,0005) as codec names, first one first; unknown terms are left out."""
    return tuple(codec for word in words if (codec := _codec(word)))


def display_name(pn_text: str) -> str:
    """A person's name as it is read aloud: the ideographic group when there is one, else the first (PS3.5 6.2.1.2)."""
    groups = [_components(group) for group in re.split("[=＝]", pn_text)[:3]]
    while len(groups) < 3:
        groups.append([])
    chosen = next((g for g in (groups[1], groups[0], groups[2]) if any(g)), [])
    family, given, middle, prefix, suffix = (chosen + [""] * 5)[:5]
    parts = [part for part in (prefix, family, given, middle, suffix) if part]
    if any(_is_east_asian(c) for part in parts for c in part):
        return "".join("".join(part.split("　")) for part in parts)
    return " ".join(parts)


def _components(group: str) -> list[str]:
    return [part.strip(" 　\0") for part in re.split("[\\^＾]", group)]


def _is_east_asian(char: str) -> bool:
    return char >= "⺀" and unicodedata.east_asian_width(char) in "WF"


def _codec(term: str) -> str:
    plain = term.upper().replace("_", "").replace(" ", "").replace("-", "").replace("ISO2022", "").removeprefix("ISO")
    return _CODECS.get(plain, "")


def _clean(text: str) -> str:
    return text.replace("\0", " ").strip()


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None


def _with_escapes(raw: bytes, declared: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """ISO 2022: each escape designates the set of what follows. A set in G1 leaves ASCII below 0x80 alone (PS3.5 6.1.2.5)."""
    flags: set[str] = set()
    out: list[str] = []
    start, codec = 0, ""
    for mark in [*_ESCAPE.finditer(raw), None]:
        piece = raw[start : mark.start() if mark else len(raw)]
        if piece:
            text, found = _piece(piece, codec, declared)
            out.append(text)
            flags.update(found)
        if mark:
            start = mark.end()
            codec = _ESCAPES.get(mark.group(), "")
    return _clean("".join(out).replace("\x1b", "")), tuple(sorted(flags))


def _piece(piece: bytes, codec: str, declared: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if codec == "jis0208":
        text = _strict(b"\x1b$B" + piece + b"\x1b(B", "iso2022_jp")
    elif codec == "jis0212":
        text = _strict(b"\x1b$(D" + piece + b"\x1b(B", "iso2022_jp_1")
    elif codec == "shift_jis" or (codec and not piece.isascii()):
        text = _strict(piece, codec)
    else:
        text = _strict(piece, "ascii")
    if text is not None:
        return text, ()
    return _without_escapes(piece, declared)


def _without_escapes(raw: bytes, declared: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    first = next(iter(declared_sets(declared)), "ascii")
    sets = declared_sets(declared)
    if first in ("ascii", "iso2022_jp", "iso2022_jp_2"):  # an ISO 2022 set named, its escapes left out: frequent
        named = [codec for codec in sets if codec in ("gb2312", "euc_kr")]
        if named and (text := _strict(raw, named[0])) is not None:
            return _clean(text), (GUESSED,)
        return _guess(raw)
    text = _strict(raw, first)
    if text is not None and not _contradicted(raw, text, first):
        return _clean(text), ()
    if first in ("gb18030", "gbk", "gb2312"):
        return _guess(raw, trust_gb=True)
    return _guess(raw)


def _contradicted(raw: bytes, text: str, codec: str) -> bool:
    """Decodes as declared, but another set is far more likely: the declaration was a default nobody changed."""
    if codec in ("gb18030", "gbk", "gb2312"):
        return _is_utf8_chinese(raw) and _share_of_gb2312(text) < 0.9
    if codec == "latin-1":  # the default of many devices; no device says Cyrillic by default
        return _is_utf8(raw) or _is_gb_pairs(raw)
    return codec.startswith("iso8859") and _is_utf8(raw)


def _guess(raw: bytes, *, trust_gb: bool = False) -> tuple[str, tuple[str, ...]]:
    if _is_utf8(raw):
        return _clean(raw.decode("utf-8")), (GUESSED,)
    text = _strict(raw, "gb18030")
    if text is not None and (trust_gb or _plausible(text)):
        return _clean(text), (GUESSED,)
    cut = _cut_at_the_end(raw)
    if cut is not None and (trust_gb or _plausible(cut)):
        return _clean(cut) + "\ufffd", (ENDED, GUESSED)
    return _clean(raw.decode("latin-1")), (INVALID,)


def _cut_at_the_end(raw: bytes) -> str | None:
    """Text whose last character lost its tail bytes (an old device cut the field at a byte count); None when damaged elsewhere."""
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError as error:
        return _strict(raw[: error.start], "gb18030") if error.start >= len(raw) - 3 and error.start > 0 else None
    return None


def _is_utf8(raw: bytes) -> bool:
    return _strict(raw, "utf-8") is not None


def _is_utf8_chinese(raw: bytes) -> bool:
    """Valid UTF-8 whose every non-ASCII character takes three bytes or more (two-byte pairs are as well two GBK bytes: 联通)."""
    text = _strict(raw, "utf-8")
    return text is not None and all(ord(c) < 0x80 or ord(c) >= 0x800 or c == "·" for c in text) and any(ord(c) >= 0x800 for c in text)


def _share_of_gb2312(text: str) -> float:
    """Share of the non-ASCII characters that are everyday ones (GB 2312 covers 99.75 % of running Chinese text)."""
    wide = [c for c in text if ord(c) >= 0x80]
    return sum(_in_gb2312(c) for c in wide) / len(wide) if wide else 1.0


def _in_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _plausible(text: str) -> bool:
    """A guess at GB18030 is taken only when at least half the characters are everyday Chinese: Big5 read as GBK is not."""
    private = any(unicodedata.category(c) in ("Co", "Cn") for c in text)
    return not private and _share_of_gb2312(text) >= 0.5


def _is_gb_pairs(raw: bytes) -> bool:
    """High bytes only in pairs, none beside a small letter, all everyday Chinese: text of a Chinese device declared Latin-1.

    `Müller` has single high bytes; `Créée` has a pair, but between small letters.
    """
    text = _strict(raw, "gb18030")
    if text is None or not _plausible(text):
        return False
    for run in _HIGH.finditer(raw):
        before, after = raw[run.start() - 1 : run.start()], raw[run.end() : run.end() + 1]
        if before.islower() or after.islower():
            return False
        if len(run.group()) % 2 and not (after and 0x40 <= after[0] <= 0x7E):
            return False
    return True
