"""The text behind a QR."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfilm.domain import token

KEY = bytes(range(32))
RING = {1: KEY}
EXPIRES = datetime(2027, 5, 19, 8, 30, tzinfo=UTC)
GRANT = "00112233445566778899aabbccddeeff"


def minted() -> str:
    return token.mint(grant_id=GRANT, expires_at=EXPIRES, key_id=1, key=KEY)


def test_a_token_is_short_enough_for_a_small_qr_and_reads_back() -> None:
    text = minted()
    assert len(text) == 51  # SECURITY.md 2: at most 64
    assert token.read(text, RING) == token.Token(GRANT, 1, EXPIRES)


def test_a_reprint_is_the_same_text() -> None:
    assert minted() == minted()


@given(st.integers(0, 50), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_one_changed_character_is_forged_or_says_the_same_grant(at: int, other: str) -> None:
    text = minted()
    changed = text[:at] + other + text[at + 1 :]
    if changed == text:
        return
    try:
        assert token.read(changed, RING).grant_id == GRANT  # unused bits of the last character: why the grant id is what counts
        assert at == 50
    except token.TokenForged:
        pass


@given(st.text(max_size=80))
def test_no_text_does_anything_but_read_or_be_forged(text: str) -> None:
    with pytest.raises(token.TokenForged):
        token.read(text, RING)


def test_a_key_that_was_struck_out_opens_nothing() -> None:
    with pytest.raises(token.TokenForged):
        token.read(minted(), {2: KEY})


def test_another_key_under_the_same_id_is_forged() -> None:
    with pytest.raises(token.TokenForged):
        token.read(minted(), {1: bytes(32)})
