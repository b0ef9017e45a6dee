"""
From a line to a command: the table of parsers.

A parser takes the argument and what is offered, and gives the command, or a `Mistake` with the reply that RFC 5321 has
for it. A new command is a line here, one in `states`, and a file in `commands`.
"""

from __future__ import annotations

from collections.abc import Callable

from . import replies
from .commands import (
    Command,
    Data,
    Mistake,
    Quit,
    Rset,
    StartTLS,
    Verb,
    auth,
    data,
    hello,
    mail,
    rcpt,
    small,
    verify,
    xclient,
)
from .offer import Offer

Parser = Callable[[bytes, Offer], Command | Mistake]


def _alone(command: Command) -> Parser:
    """A command that takes no argument; blanks behind it are let through (RFC 5321 §4.1.1)."""
    mistake = Mistake(replies.NO_ARGUMENT)

    def parse_alone(argument: bytes, offer: Offer) -> Command | Mistake:
        return mistake if argument.strip(b" ") else command

    return parse_alone


PARSERS: dict[Verb, Parser] = {
    Verb.HELO: hello.parser(Verb.HELO),
    Verb.EHLO: hello.parser(Verb.EHLO),
    Verb.LHLO: hello.parser(Verb.LHLO),
    Verb.MAIL: mail.parse,
    Verb.RCPT: rcpt.parse,
    Verb.DATA: _alone(Data()),
    Verb.BDAT: data.parse_bdat,
    Verb.RSET: _alone(Rset()),
    Verb.NOOP: small.parse_noop,
    Verb.HELP: small.parse_help,
    Verb.VRFY: verify.parse_vrfy,
    Verb.EXPN: verify.parse_expn,
    Verb.ETRN: verify.parse_etrn,
    Verb.QUIT: _alone(Quit()),
    Verb.STARTTLS: _alone(StartTLS()),
    Verb.AUTH: auth.parse,
    Verb.XCLIENT: xclient.parse_xclient,
    Verb.XFORWARD: xclient.parse_xforward,
}

# Verbs by their spelling on the wire.
VERBS: dict[bytes, Verb] = {verb.value: verb for verb in PARSERS}
