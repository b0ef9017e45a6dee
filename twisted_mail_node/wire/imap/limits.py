"""How much an IMAP client may send before it is refused. All in octets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Bounds of one engine's memory and patience.

    Attributes:
        command_octets: one command with its literals, the message of APPEND aside. RFC 2683 §3.2.1.5 asks for 8000
            of a line at least; clients that list UIDs one by one need more.
        discard_octets: what is read and thrown away of one refused command (RFC 7888 §4: a non-synchronizing
            literal comes whether wanted or not); a client that announces more is sent away.
            Must not be less than the largest message that is taken.
        skip_octets: how much of a line that is too long is thrown away in the hope of its end; a client that goes
            on is sent away.
        chunk_octets: the largest piece in which the message of APPEND is handed on.
    """

    command_octets: int = 64 * 1024
    discard_octets: int = 128 * 1024 * 1024
    skip_octets: int = 1024 * 1024
    chunk_octets: int = 64 * 1024
