"""The text that names and passwords may be made of."""

from __future__ import annotations

# RFC 5321 §4.5.3.1: 64 octets of local part, "@", 255 of domain; doubled, for names that are no addresses.
MAX_NAME_OCTETS = 640
# No standard sets a limit; it bounds what is hashed and kept.
MAX_PASSWORD_OCTETS = 1024


def checked_text(octets: bytes, limit: int) -> str | None:
    """The octets as text, or None where they are empty, more than `limit`, not UTF-8, or contain NUL, CR or LF."""
    if not octets or len(octets) > limit or b"\0" in octets or b"\r" in octets or b"\n" in octets:
        return None
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
