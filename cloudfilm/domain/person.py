"""Names, masks and search forms of people. Names are kept as given; these are views of them (DOMAIN.md 2.4)."""

import re
import unicodedata

_DOTS = str.maketrans(dict.fromkeys("•‧・．･∙⋅", "·"))


def mask_name(name: str) -> str:
    """A name that a stranger may see: 张*三, 李*, 阿****提, J*** S****. The number of characters stays true."""
    name = name.strip()
    if not name:
        return "*"
    if re.search(r"[A-Za-z]", name) and " " in name:
        return " ".join(word[0] + "*" * (len(word) - 1) for word in name.split())
    if len(name) == 1:
        return "*"
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(phone: str) -> str:
    """138****6621; what is too short to mask is hidden whole."""
    digits = re.sub(r"\D", "", phone)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) == 11 else ("*" * len(digits))


def search_key(text: str) -> str:
    """The form in which names are compared and searched: NFKC, no blanks, one middle dot, lower case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(_DOTS)).casefold()


def same_person_name(one: str, other: str) -> bool:
    """Whether two spellings can be one person: equal search forms, or one of them has no ideographs (pinyin, pet names)."""
    a, b = search_key(one), search_key(other)
    if not a or not b or a == b:
        return True
    return not (_has_ideograph(a) and _has_ideograph(b))


def _has_ideograph(text: str) -> bool:
    return any(unicodedata.name(ch, "").startswith("CJK UNIFIED") for ch in text)
