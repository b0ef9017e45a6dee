"""
What a client says, as values: a frozen dataclass a command, and the events of content and authentication.

`parse` turns a line into one of them, or into a `Mistake` with the reply that RFC 5321 has for it. Whether the
command may come now is for `states`, what the parameters mean for `extensions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from ...mail.address import Address
from ...mail.envelope import BodyType
from ...mail.status import Reply
from . import replies
from .extensions import MAIL_PARAMETERS, RCPT_PARAMETERS, Offer, read_parameters
from .syntax import Parameters, parse_forward_path, parse_reverse_path


class Verb(Enum):
    """The commands of SMTP and LMTP that this node knows, and the two that stand for content and greeting."""

    CONNECT = b""
    HELO = b"HELO"
    EHLO = b"EHLO"
    LHLO = b"LHLO"
    MAIL = b"MAIL"
    RCPT = b"RCPT"
    DATA = b"DATA"
    CONTENT = b"."
    RSET = b"RSET"
    NOOP = b"NOOP"
    HELP = b"HELP"
    VRFY = b"VRFY"
    EXPN = b"EXPN"
    QUIT = b"QUIT"
    STARTTLS = b"STARTTLS"
    AUTH = b"AUTH"


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection is there; the answer is the greeting."""


@dataclass(frozen=True, slots=True)
class Hello:
    """HELO, EHLO or LHLO with the name that the client gives itself. Source: RFC 5321 §4.1.1.1."""

    verb: Verb
    name: str


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM. `size` is SIZE= in octets, 0 where it was not told. `sender` is None for `<>`."""

    sender: Address | None
    parameters: Parameters = ()
    size: int = 0
    body_type: BodyType = BodyType.SEVEN_BIT


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO. The domain is empty for the bare `postmaster`."""

    recipient: Address
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; a 354 begins the content."""


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of the message; wants no answer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ContentEnd:
    """The end of the message; wants its answer, in LMTP one for each accepted recipient."""

    size: int
    bare_newlines: bool
    nul: bool = False


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET: forget the transaction."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Help:
    """HELP, perhaps about something."""

    topic: str


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY with its text as it came."""

    text: str


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


@dataclass(frozen=True, slots=True)
class StartTLS:
    """STARTTLS; after a 220 everything begins anew."""


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH; `initial` is the initial response in base64, None where there was none. Source: RFC 4954 §4."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthLine:
    """The client's line in an exchange, base64 or `*`."""

    line: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What cannot be done or understood; `reply` is the standard's answer."""

    reply: Reply


Command = Hello | Mail | Rcpt | Data | Rset | Noop | Help | Vrfy | Quit | StartTLS | Auth
Event = Command | Connected | Content | ContentEnd | AuthLine | Mistake

HELLO_NAME_OCTETS = 255  # RFC 5321 §4.5.3.1.2
# Names that are no domain are common, and no reason to refuse (RFC 5321 §4.1.4); they only have to be one word.
_HELLO_NAME = re.compile(rb"[!-~]{1,255}")
_MECHANISM = re.compile(rb"[A-Za-z0-9_-]{1,20}")  # RFC 4422 §3.1


def _hello(verb: Verb) -> Callable[[bytes, Offer], Command | Mistake]:
    def parse_hello(argument: bytes, offer: Offer) -> Command | Mistake:
        name = argument.strip(b" ")
        if not _HELLO_NAME.fullmatch(name):
            return Mistake(replies.HELLO_NAME_NEEDED)
        return Hello(verb, name.decode("ascii"))

    return parse_hello


def _mail(argument: bytes, offer: Offer) -> Command | Mistake:
    if argument[:5].upper() != b"FROM:":
        return Mistake(replies.BAD_ARGUMENTS)
    try:
        sender, parameters = parse_reverse_path(argument[5:])
    except ValueError:
        return Mistake(replies.BAD_SENDER)
    if not parameters:
        return Mail(sender)
    values = read_parameters(MAIL_PARAMETERS, parameters, offer)
    if isinstance(values, Reply):
        return Mistake(values)
    size, body_type = values.get("SIZE", 0), values.get("BODY", BodyType.SEVEN_BIT)
    assert isinstance(size, int) and isinstance(body_type, BodyType)  # noqa: PT018 - the table's own types
    return Mail(sender, parameters, size, body_type)


def _rcpt(argument: bytes, offer: Offer) -> Command | Mistake:
    if argument[:3].upper() != b"TO:":
        return Mistake(replies.BAD_ARGUMENTS)
    try:
        recipient, parameters = parse_forward_path(argument[3:])
    except ValueError:
        return Mistake(replies.BAD_RECIPIENT)
    values = read_parameters(RCPT_PARAMETERS, parameters, offer)
    return Mistake(values) if isinstance(values, Reply) else Rcpt(recipient, parameters)


def _alone(command: Command) -> Callable[[bytes, Offer], Command | Mistake]:
    """A command that takes no argument; blanks behind it are let through (RFC 5321 §4.1.1)."""
    mistake = Mistake(replies.NO_ARGUMENT)

    def parse_alone(argument: bytes, offer: Offer) -> Command | Mistake:
        return mistake if argument.strip(b" ") else command

    return parse_alone


def _noop(argument: bytes, offer: Offer) -> Command | Mistake:
    return Noop()  # RFC 5321 §4.1.1.9: an argument is ignored


def _help(argument: bytes, offer: Offer) -> Command | Mistake:
    return Help(argument.strip(b" ").decode("ascii", "replace"))


def _vrfy(argument: bytes, offer: Offer) -> Command | Mistake:
    text = argument.strip(b" ")
    return Vrfy(text.decode("utf-8", "replace")) if text else Mistake(replies.BAD_ARGUMENTS)


def _expn(argument: bytes, offer: Offer) -> Command | Mistake:
    return Mistake(replies.NOT_IMPLEMENTED)


def _auth(argument: bytes, offer: Offer) -> Command | Mistake:
    mechanism, blank, initial = argument.strip(b" ").partition(b" ")
    if not _MECHANISM.fullmatch(mechanism) or b" " in initial:
        return Mistake(replies.BAD_ARGUMENTS)
    return Auth(mechanism.decode("ascii").upper(), initial if blank else None)


PARSERS: dict[Verb, Callable[[bytes, Offer], Command | Mistake]] = {
    Verb.HELO: _hello(Verb.HELO),
    Verb.EHLO: _hello(Verb.EHLO),
    Verb.LHLO: _hello(Verb.LHLO),
    Verb.MAIL: _mail,
    Verb.RCPT: _rcpt,
    Verb.DATA: _alone(Data()),
    Verb.RSET: _alone(Rset()),
    Verb.NOOP: _noop,
    Verb.HELP: _help,
    Verb.VRFY: _vrfy,
    Verb.EXPN: _expn,
    Verb.QUIT: _alone(Quit()),
    Verb.STARTTLS: _alone(StartTLS()),
    Verb.AUTH: _auth,
}

# Verbs by their spelling on the wire.
VERBS: dict[bytes, Verb] = {verb.value: verb for verb in PARSERS}
