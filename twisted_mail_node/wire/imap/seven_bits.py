"""
What is given of internationalised mail to a client that has not enabled UTF-8: ASCII headers, and what follows of them.

A message is taken for one where its header is beyond ASCII, or its BODYSTRUCTURE, which says what the headers of its
parts and of messages in it say. Its surrogate (`wire.mime.surrogate`) is then what all of FETCH is about, but for
RFC822.SIZE, which may be that of the message itself (RFC 6858 §3.2). Sources: RFC 9755 §8, §9; RFC 9051 §A.
"""

from __future__ import annotations

from ..mime.body_structure import body_structure, has_global, with_global_closed
from ..mime.envelope import envelope_of
from ..mime.headers import header_size
from ..mime.structure import structure_of
from ..mime.surrogate import Surrogate, surrogate_of


def can_be_shown(structure: bytes) -> bool:
    """Whether a kept BODYSTRUCTURE is as such a client may have it, without a closer look."""
    return structure.isascii() and not has_global(structure)


def header_form(header: bytes) -> bytes:
    """A header block in ASCII."""
    return header if header.isascii() else surrogate_of(header, ascii_headers=True, as_lines=False)


def envelope_form(header: bytes) -> bytes:
    """The ENVELOPE of a message with this header."""
    return envelope_of(header_form(header))


def message_form(message: bytes) -> bytes:
    """A message at hand, or its surrogate."""
    return surrogate_of(message, ascii_headers=True, as_lines=False) if _is_international(message) else message


def structure_form(message: bytes) -> bytes:
    """The BODYSTRUCTURE of what `message_form` gives."""
    return with_global_closed(body_structure(structure_of(message_form(message))))


def new_surrogate() -> Surrogate:
    """What makes the surrogate of a message that comes in pieces."""
    return Surrogate(ascii_headers=True, as_lines=False)


def _is_international(message: bytes) -> bool:
    if message.isascii():
        return False
    header = message[: header_size(message)]
    if not header.isascii():
        return True
    words = header.lower()
    # Only what is made of parts has other headers.
    if b"multipart" not in words and b"message" not in words:
        return False
    return not body_structure(structure_of(message)).isascii()
