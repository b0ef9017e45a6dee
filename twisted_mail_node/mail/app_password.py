"""
App passwords: made by the node, one for each program of a user, and told once.

Each has too much chance in it to be guessed, so a plain digest is kept of it, which is looked up in no time, and no
slow hash. Neighbours: `interfaces.credentials.IAppPasswords` keeps them; `auth.checker` knows them again.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from dataclasses import dataclass, field

SECRET_OCTETS = 20
"""Our own choice: 160 bits of chance, which base32 shows as 32 letters and digits without a rest."""

MAX_LABEL_CHARACTERS = 64
"""Our own bound: a label is to be read in a list and in a line of the log."""

_GROUP = 4
_SHAPE = re.compile(r"[a-z2-7]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPassword:
    """
    What is kept of an app password.

    Attributes:
        label: what the user calls it; once for each user.
        digest: see `digest_of`.
        created: seconds since the epoch.
        last_used: the same, to a day or so; None where it was never used.
    """

    label: str
    digest: bytes = field(repr=False)
    created: int
    last_used: int | None = None


def shown(secret: bytes) -> str:
    """The app password that a user types: groups of letters and digits that are not mistaken for one another."""
    text = b32encode(secret).decode("ascii").lower()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def digest_of(password: str) -> bytes | None:
    """
    What to look for; None where the password has not the shape of an app password.

    Blanks and hyphens may be left out or put in, and letters be large: people copy them by hand.
    """
    text = password.replace("-", "").replace(" ", "").lower()
    if _SHAPE.fullmatch(text) is None:
        return None
    return hashlib.sha256(b"app password:" + text.encode("ascii")).digest()


def checked_label(label: str) -> str:
    """The label, without blanks around it. Raises ValueError: it can't be one."""
    text = label.strip()
    if not text or len(text) > MAX_LABEL_CHARACTERS or not text.isprintable():
        raise ValueError(f"a label has 1 to {MAX_LABEL_CHARACTERS} characters that can be printed")
    return text
