"""Text beyond ASCII for header fields, as encoded words. Source: RFC 2047 §2, §5; reading them is for `decode`."""

from __future__ import annotations

from binascii import b2a_base64

# RFC 2047 §2: an encoded word has at most 75 characters; base64 makes four of three octets.
_OCTETS_IN_A_WORD = (75 - len("=?utf-8?b??=")) // 4 * 3


def encoded_words(text: str) -> bytes:
    """The text as encoded words of UTF-8, each on a line of its own; no character is cut in two."""
    words, pending = [], bytearray()
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(pending) + len(octets) > _OCTETS_IN_A_WORD:
            words.append(_word(pending))
            pending.clear()
        pending += octets
    words.append(_word(pending))
    return b"\r\n ".join(words)


def _word(octets: bytearray) -> bytes:
    return b"=?utf-8?b?" + b2a_base64(octets, newline=False) + b"?="
