"""The greeting, HELO, EHLO and LHLO. Sources: RFC 5321 §4.1.1.1; RFC 2033 §4.1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .. import replies
from ..offer import Offer
from .mistake import Mistake
from .verb import Verb

HELLO_NAME_OCTETS = 255  # RFC 5321 §4.5.3.1.2
# Names that are no domain are common, and no reason to refuse (RFC 5321 §4.1.4); they only have to be one word.
_HELLO_NAME = re.compile(rb"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection is there; the answer is the greeting."""


@dataclass(frozen=True, slots=True)
class Hello:
    """HELO, EHLO or LHLO with the name that the client gives itself. Source: RFC 5321 §4.1.1.1."""

    verb: Verb
    name: str


def parser(verb: Verb) -> Callable[[bytes, Offer], Hello | Mistake]:
    """What reads the argument of this way to say hello."""

    def parse(argument: bytes, offer: Offer) -> Hello | Mistake:
        name = argument.strip(b" ")
        if not _HELLO_NAME.fullmatch(name):
            return Mistake(replies.HELLO_NAME_NEEDED)
        return Hello(verb, name.decode("ascii"))

    return parse
