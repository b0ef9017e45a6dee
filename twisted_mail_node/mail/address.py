"""
Mail addresses as values. Syntax on the wire is parsed in `wire.smtp.syntax`; this is what remains of it.

Sources: RFC 5321 §2.3.11, §4.1.2; RFC 6531 §3.3 for the local part's UTF-8; RFC 5233 for the detail after "+".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .domain_name import ascii_domain


@dataclass(frozen=True, slots=True)
class Address:
    """
    `local_part@domain`, as it is meant: quoting and source routes removed, the domain in lower case.

    `local_part` keeps its case, since only its own domain may interpret it (RFC 5321 §2.4). `domain` is a host
    name in lower case, as A-labels (RFC 5890 §2.3.2.1), or an address literal in brackets. It is empty only for the
    bare `postmaster` of RFC 5321 §4.1.1.3.
    """

    local_part: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """
        Read `name@domain` as people write it in files and on command lines (no quoting, no route).

        Raises: ValueError: no or several "@" outside, an empty part, white space or a control character.
        """
        local_part, at, domain = text.rpartition("@")
        if not at or not local_part or not domain or any(c.isspace() or c in '<>,;:"\\()' or c < " " for c in text):
            raise ValueError(f"not a mail address: {text!r} (expected NAME@DOMAIN)")
        if "@" in local_part or domain.startswith((".", "-")) or ".." in domain:
            raise ValueError(f"not a mail address: {text!r} (expected NAME@DOMAIN)")
        try:
            return cls(local_part, ascii_domain(domain).rstrip("."))
        except ValueError:
            raise ValueError(f"not a mail address: {text!r} (its domain can't be)") from None

    @property
    def key(self) -> str:
        """The name under which this node's own tables know the address: all lower case, letters composed (NFC)."""
        local_part = self.local_part.lower()
        if not local_part.isascii():
            local_part = unicodedata.normalize("NFC", local_part)  # RFC 6532 §3.1
        return f"{local_part}@{self.domain}"

    def without_detail(self, separator: str = "+") -> Address:
        """The address without its sub-address: `joe+lists@x` gives `joe@x` (RFC 5233 §1)."""
        base, found, _ = self.local_part.partition(separator)
        return Address(base, self.domain) if found and base else self

    def __str__(self) -> str:
        if not self.domain:
            return self.local_part
        return f"{quoted_if_needed(self.local_part)}@{self.domain}"


# RFC 5321 §4.1.2 Dot-string out of RFC 5322 §3.2.3 atext; RFC 6531 §3.3 adds all beyond ASCII.
_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+"
_is_dot_string = re.compile(rf"{_ATOM}(?:\.{_ATOM})*").fullmatch


def quoted_if_needed(local_part: str) -> str:
    """The local part as it stands on the wire: a dot-string as it is, anything else as a quoted string."""
    # Letters and digits alone, as most are, need no pattern.
    if local_part.isalnum() or _is_dot_string(local_part):
        return local_part
    return '"' + local_part.replace("\\", "\\\\").replace('"', '\\"') + '"'
