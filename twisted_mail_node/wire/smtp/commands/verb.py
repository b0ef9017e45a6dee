"""The words that commands begin with."""

from __future__ import annotations

from enum import Enum


class Verb(Enum):
    """The commands of SMTP and LMTP that this node knows, and the two that stand for content and greeting."""

    CONNECT = b""
    HELO = b"HELO"
    EHLO = b"EHLO"
    LHLO = b"LHLO"
    MAIL = b"MAIL"
    RCPT = b"RCPT"
    DATA = b"DATA"
    BDAT = b"BDAT"
    CONTENT = b"."
    RSET = b"RSET"
    NOOP = b"NOOP"
    HELP = b"HELP"
    VRFY = b"VRFY"
    EXPN = b"EXPN"
    ETRN = b"ETRN"
    QUIT = b"QUIT"
    STARTTLS = b"STARTTLS"
    AUTH = b"AUTH"
    XCLIENT = b"XCLIENT"
    XFORWARD = b"XFORWARD"

    # There is one of each, and Enum's own takes the hash of its name: slowly, and for every command.
    __hash__ = object.__hash__
