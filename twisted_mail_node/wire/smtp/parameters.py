"""
Parameters of MAIL and RCPT: what they mean, who may use them, and how much longer lines may be for them.

A new parameter is a row in a table here. Each reads its value into a draft, or raises ValueError. Sources: RFC 5321
§4.1.1.11, and with each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from ...mail.envelope import BodyType
from ...mail.options import ByMode, MailOptions, Notify, RecipientOptions, Return
from ...mail.status import Reply
from . import replies
from .offer import Extension, Offer
from .syntax import Parameters
from .xtext import decoded

COMMAND_LINE_OCTETS = 512  # RFC 5321 §4.5.3.1.4, CRLF included
AUTH_LINE_OCTETS = 12288  # RFC 4954 §4
ENVELOPE_ID_OCTETS = 100  # RFC 3461 §4.4
ORIGINAL_RECIPIENT_OCTETS = 500  # RFC 3461 §4.2

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class By:
    """BY=: so many seconds from now, which may be none and fewer. Source: RFC 2852 §4."""

    seconds: int
    mode: ByMode
    trace: bool


@dataclass(slots=True)
class MailDraft:
    """What the parameters of one MAIL say."""

    size: int = 0
    body_type: BodyType = BodyType.SEVEN_BIT
    smtputf8: bool = False
    ret: Return | None = None
    envelope_id: str | None = None
    require_tls: bool = False
    hold_for: int | None = None
    hold_until: float | None = None
    by: By | None = None
    priority: int = 0
    submitter: str | None = None

    def options(self) -> MailOptions:
        """All that does not depend on what time it is."""
        return MailOptions(
            smtputf8=self.smtputf8,
            ret=self.ret,
            envelope_id=self.envelope_id,
            require_tls=self.require_tls,
            hold_until=self.hold_until,
            priority=self.priority,
            submitter=self.submitter,
        )


@dataclass(slots=True)
class RcptDraft:
    """What the parameters of one RCPT say."""

    notify: Notify | None = None
    original: str | None = None

    def options(self) -> RecipientOptions:
        """As it goes with the recipient."""
        return RecipientOptions(notify=self.notify, original=self.original)


@dataclass(frozen=True, slots=True)
class Parameter(Generic[D]):
    """
    A parameter of MAIL or RCPT.

    `read` puts the value's meaning into the draft or raises ValueError; the value is "" where there is none.
    `line_growth` is by how many octets the command line may grow for it; `is_offered` whether its extension is
    advertised now.
    """

    read: Callable[[D, str], None]
    line_growth: int
    is_offered: Callable[[Offer], bool] = lambda offer: True


def _of(extension: Extension) -> Callable[[Offer], bool]:
    return lambda offer: offer.has(extension)


# -- MAIL -------------------------------------------------------------------------------------------------------


def _size(draft: MailDraft, text: str) -> None:
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise ValueError("not a size")
    draft.size = int(text)


def _body(draft: MailDraft, text: str) -> None:
    draft.body_type = BodyType(text.upper())


def _smtputf8(draft: MailDraft, text: str) -> None:
    _nothing(text)
    draft.smtputf8 = True


def _require_tls(draft: MailDraft, text: str) -> None:
    _nothing(text)
    draft.require_tls = True


def _nothing(text: str) -> None:
    if text:
        raise ValueError("a value where there is none")


def _auth(draft: MailDraft, text: str) -> None:
    # Who submitted it first is told by the trace of a network of trust, of which this node knows none.
    if not text:
        raise ValueError("not xtext")
    decoded(text)
    draft.submitter = text


def _ret(draft: MailDraft, text: str) -> None:
    draft.ret = Return(text.upper())


def _envelope_id(draft: MailDraft, text: str) -> None:
    if not text or len(text) > ENVELOPE_ID_OCTETS:
        raise ValueError("not an envelope identifier")
    decoded(text)
    draft.envelope_id = text


_INTERVAL = re.compile(r"[1-9][0-9]{0,8}")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_BY = re.compile(r"([+-]?[0-9]{1,9});([NR])(T?)", re.IGNORECASE)
_PRIORITY = re.compile(r"-?[1-9]|0")


def _hold_for(draft: MailDraft, text: str) -> None:
    if draft.hold_until is not None or not _INTERVAL.fullmatch(text):
        raise ValueError("not an interval, or a time told twice")
    draft.hold_for = int(text)


def _hold_until(draft: MailDraft, text: str) -> None:
    if draft.hold_for is not None or not _DATE_TIME.fullmatch(text):
        raise ValueError("not a time, or one told twice")
    draft.hold_until = datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC).timestamp()


def _by(draft: MailDraft, text: str) -> None:
    match = _BY.fullmatch(text)
    if match is None:
        raise ValueError("not a time and a mode")
    seconds, mode = int(match[1]), ByMode(match[2].upper())
    if mode is ByMode.RETURN and seconds <= 0:  # RFC 2852 §4: that time has come already
        raise ValueError("to be returned at once")
    draft.by = By(seconds, mode, bool(match[3]))


def _priority(draft: MailDraft, text: str) -> None:
    if not _PRIORITY.fullmatch(text):
        raise ValueError("not a priority")
    draft.priority = int(text)


MAIL_PARAMETERS: Mapping[str, Parameter[MailDraft]] = {
    "SIZE": Parameter(_size, 26),  # RFC 1870 §3, §4
    "BODY": Parameter(_body, 17),  # RFC 6152 §2, RFC 3030 §3
    "AUTH": Parameter(_auth, 500, lambda offer: offer.has_auth),  # RFC 4954 §3, §5
    "SMTPUTF8": Parameter(_smtputf8, 10, _of(Extension.SMTPUTF8)),  # RFC 6531 §3.1
    "RET": Parameter(_ret, 9, _of(Extension.DSN)),  # RFC 3461 §4.3
    "ENVID": Parameter(_envelope_id, 7 + ENVELOPE_ID_OCTETS, _of(Extension.DSN)),  # RFC 3461 §4.4
    "REQUIRETLS": Parameter(_require_tls, 11, _of(Extension.REQUIRE_TLS)),  # RFC 8689 §2
    "HOLDFOR": Parameter(_hold_for, 34, _of(Extension.FUTURE_RELEASE)),  # RFC 4865 §4
    "HOLDUNTIL": Parameter(_hold_until, 0, _of(Extension.FUTURE_RELEASE)),  # RFC 4865 §4: one of the two
    "BY": Parameter(_by, 17, _of(Extension.DELIVER_BY)),  # RFC 2852 §4
    "MT-PRIORITY": Parameter(_priority, 15, _of(Extension.MT_PRIORITY)),  # RFC 6710 §3
}


# -- RCPT -------------------------------------------------------------------------------------------------------


def _notify(draft: RcptDraft, text: str) -> None:
    words = text.upper().split(",")
    if words == ["NEVER"]:
        draft.notify = Notify.NEVER
        return
    wanted = Notify(0)
    for word in words:
        if word not in ("SUCCESS", "FAILURE", "DELAY"):
            raise ValueError("not a reason to notify")
        wanted |= Notify[word]
    draft.notify = wanted


_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+")


def _original(draft: RcptDraft, text: str) -> None:
    kind, semicolon, address = text.partition(";")
    if not semicolon or not address or not _ADDRESS_TYPE.fullmatch(kind):
        raise ValueError("not an address with its type")
    if len(text.encode()) > ORIGINAL_RECIPIENT_OCTETS:
        raise ValueError("address too long")
    if kind.lower() != "utf-8":
        # Beyond ASCII there is a type of its own (RFC 6533 §3), but Postfix hides UTF-8 in one of type rfc822.
        decoded(address, utf8=True)
    elif not _UTF8_ADDRESS.fullmatch(address):
        raise ValueError("not an address of type utf-8")
    draft.original = text


# RFC 6533 §3: xtext, characters beyond ASCII as they are, or as \x{20AC}.
_UTF8_ADDRESS = re.compile(
    r"(?:[!-*,-<>-\[\]-~]|\+[0-9A-F]{2}|\\x\{[0-9A-F]{2,6}\}|[\u00a0-\u2027\u202a-\U0010ffff])++"
)

RCPT_PARAMETERS: Mapping[str, Parameter[RcptDraft]] = {
    "NOTIFY": Parameter(_notify, 29, _of(Extension.DSN)),  # RFC 3461 §4.1
    "ORCPT": Parameter(_original, 7 + ORIGINAL_RECIPIENT_OCTETS, _of(Extension.DSN)),  # RFC 3461 §4.2
}

# Command line limits, CRLF included, for the commands that extensions make longer.
LINE_LIMITS: Mapping[bytes, int] = {
    b"MAIL": COMMAND_LINE_OCTETS + sum(parameter.line_growth for parameter in MAIL_PARAMETERS.values()),
    b"RCPT": COMMAND_LINE_OCTETS + sum(parameter.line_growth for parameter in RCPT_PARAMETERS.values()),
    b"VRFY": COMMAND_LINE_OCTETS + 10,  # RFC 6531 §3.1
    b"EXPN": COMMAND_LINE_OCTETS + 10,
    b"AUTH": AUTH_LINE_OCTETS,
}


def read_parameters(table: Mapping[str, Parameter[D]], parameters: Parameters, offer: Offer, draft: D) -> Reply | None:
    """
    Read the parameters into the draft.

    Returns: the refusal, if there is one: 555 for a parameter that is not known (RFC 5321 §4.1.1.11), 501 for a value
        out of shape.
    """
    for keyword, text in parameters:
        parameter = table.get(keyword)
        if parameter is None or not parameter.is_offered(offer):
            return replies.UNKNOWN_PARAMETER
        try:
            parameter.read(draft, text)
        except ValueError:
            return replies.BAD_PARAMETER_VALUE
    return None
