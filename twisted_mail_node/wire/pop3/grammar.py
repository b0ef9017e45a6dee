"""
From a line to a command: the table of parsers.

A new command is a line here, one in `states`, and a parser in `commands`.
"""

from __future__ import annotations

from collections.abc import Callable

from .arguments import Mistake
from .commands import (
    Command,
    apop,
    authenticate,
    capabilities,
    lang,
    listings,
    login,
    marks,
    messages,
    small,
    starttls,
    utf8,
)
from .phrases import Phrase
from .standing import Standing
from .states import COMMANDS_BY_STATE, State

Parser = Callable[[bytes, Standing], Command]

PARSERS: dict[bytes, Parser] = {
    b"CAPA": capabilities.parse,
    b"STLS": starttls.parse,
    b"UTF8": utf8.parse,
    b"LANG": lang.parse,
    b"USER": login.parse_user,
    b"PASS": login.parse_password,
    b"APOP": apop.parse,
    b"AUTH": authenticate.parse,
    b"STAT": listings.parse_status,
    b"LIST": listings.parse_sizes,
    b"UIDL": listings.parse_unique_ids,
    b"RETR": messages.parse_retrieve,
    b"TOP": messages.parse_top,
    b"DELE": marks.parse_delete,
    b"RSET": marks.parse_reset,
    b"NOOP": small.parse_nothing,
    b"QUIT": small.parse_quit,
}


def parse(line: bytes, standing: Standing) -> Command:
    """The command of a line, its CRLF taken off. Raises: Mistake."""
    if standing.state is State.EXCHANGE:
        return authenticate.parse_response(line, standing)
    word, _, argument = line.partition(b" ")
    verb = word if word in PARSERS else word.upper()
    if verb not in COMMANDS_BY_STATE[standing.state]:
        raise Mistake(Phrase.NOT_NOW if verb in PARSERS else Phrase.UNKNOWN_COMMAND)
    return PARSERS[verb](argument, standing)
