"""
The report that a message could not be delivered, as a body. Pure.

It decides what a report says; `bouncer` decides to whom it goes, and that there is one at all. Sources: RFC 3464
(delivery status), RFC 6522 (multipart/report), RFC 3834 §5 (Auto-Submitted), RFC 5322 (header).
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from textwrap import wrap

from ..mail.address import Address
from ..mail.status import EnhancedStatus
from ..mail.transaction import Body

# So much of the original header is given back; reports stay far below what is kept in one piece.
HEADER_OCTETS = 16 * 1024
# How many recipients one report tells of.
RECIPIENTS = 50
_REPLY_OCTETS = 500
_LINE_CHARACTERS = 76
_LONGEST_LINE = 998  # RFC 5322 §2.1.1
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?(<[!-=?-~]{1,250}>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: this node's host name, and the address that answers go to."""

    hostname: str
    postmaster: Address


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """
    One recipient that the message does not reach. `reply` are the words of `host`, or ours where that is "".

    `original` is the address that the sender wrote, where an alias led away from it.
    """

    recipient: Address
    status: EnhancedStatus
    reply: str
    host: str = ""
    original: Address | None = None


def report(
    reporter: Reporter,
    report_id: str,
    sender: Address,
    failed: Sequence[FailedRecipient],
    header: bytes,
    *,
    arrived: float,
    now: float,
) -> Body:
    """
    The report to the sender of a message that arrived at the time told: seven-bit, small enough for one piece.

    Beyond RECIPIENTS of `failed` the others are only counted. `header` is the message's header block or its
    beginning. `report_id` is unique for ever: it makes Message-ID and the boundary.
    """
    count, failed = len(failed), failed[:RECIPIENTS]
    boundary = f"=_{report_id}"
    parts = [
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + _quoted(_words(reporter, failed, count - len(failed)).encode("utf-8", "replace")),
        b"Content-Type: message/delivery-status\r\n\r\n" + _status(reporter, failed, arrived, now),
        b"Content-Type: text/rfc822-headers\r\n" + _as_it_was(_cut(header)),
    ]
    line = f"\r\n--{boundary}\r\n".encode("ascii")
    head = _header(reporter, report_id, sender, count, header, boundary, now)
    content = (
        head
        + b"This is a report in several parts about mail that was not delivered.\r\n"
        + b"".join(line + part for part in parts)
        + f"\r\n--{boundary}--\r\n".encode("ascii")
    )
    return Body(len(content), len(head), content)


def _header(
    reporter: Reporter, report_id: str, sender: Address, count: int, header: bytes, boundary: str, now: float
) -> bytes:
    subject = "Your message was not delivered" + (f" to {count} recipients" if count > 1 else "")
    lines = [
        f"Date: {formatdate(now)}",
        f'From: "Mail Delivery (MAILER-DAEMON)" <{_ascii(str(reporter.postmaster))}>',
        f"To: <{_ascii(str(sender))}>",
        f"Subject: {subject}",
        f"Message-ID: <{report_id}@{reporter.hostname}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"',
    ]
    original = _MESSAGE_ID.search(header[:HEADER_OCTETS])
    if original is not None:
        name = original[1].decode("ascii")
        lines[5:5] = [f"In-Reply-To: {name}", f"References: {name}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _words(reporter: Reporter, failed: Sequence[FailedRecipient], more: int) -> str:
    paragraphs = [
        f"This is the mail node at {reporter.hostname}.",
        "Your message could not be delivered to the recipients below, and it will not be tried again. "
        "Nothing more will come of it unless you send it once more. Its header is attached.",
    ]
    for one in failed:
        paragraphs.append(f"<{one.recipient}>")
        if one.original is not None and one.original != one.recipient:
            paragraphs[-1] += f" (you wrote to <{one.original}>)"
        paragraphs.append(_indented(_where(one) + _short(one.reply)))
    if more:
        paragraphs.append(f"And {more} more.")
    return "\r\n\r\n".join(paragraphs) + "\r\n"


def _where(one: FailedRecipient) -> str:
    if not one.host:
        return ""
    return f"The host {one.host} said: " if _is_answer(one) else f"At the host {one.host}: "


def _is_answer(one: FailedRecipient) -> bool:
    """Whether the words are a server's: those begin with a reply code, ours do not."""
    return one.reply[:3].isdecimal()


def _indented(text: str) -> str:
    return "\r\n".join("    " + line for line in wrap(text, _LINE_CHARACTERS - 4) or [""])


def _status(reporter: Reporter, failed: Sequence[FailedRecipient], arrived: float, now: float) -> bytes:
    groups = [f"Reporting-MTA: dns; {reporter.hostname}\r\nArrival-Date: {formatdate(arrived)}\r\n"]
    for one in failed:
        fields = []  # in the order of RFC 3464 §2.3
        if one.original is not None:
            fields.append(f"Original-Recipient: rfc822; {_ascii(str(one.original))}")
        fields += [
            f"Final-Recipient: rfc822; {_ascii(str(one.recipient))}",
            "Action: failed",
            f"Status: {one.status}",
        ]
        if one.host:
            fields.append(f"Remote-MTA: dns; {_ascii(one.host)}")
        kind = "smtp" if _is_answer(one) else "x-local"
        fields.append(_folded(f"Diagnostic-Code: {kind}; {_plain(_short(one.reply))}"))
        fields.append(f"Last-Attempt-Date: {formatdate(now)}")
        groups.append("\r\n".join(fields) + "\r\n")
    return "\r\n".join(groups).encode("ascii")


def _folded(field: str) -> str:
    """A long field over several lines (RFC 5322 §2.2.3)."""
    return "\r\n ".join(wrap(field, _LINE_CHARACTERS, break_on_hyphens=False))


def _short(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace")[:_REPLY_OCTETS].decode("utf-8", "ignore")


def _plain(text: str) -> str:
    """Printable ASCII, which is all that a reply may hold (RFC 5321 §4.2); "?" for anything else."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def _ascii(text: str) -> str:
    """What is not printable ASCII is written as an escape: field values may hold nothing else (RFC 3464 §2.1.2)."""
    return "".join(c if c.isprintable() else "?" for c in text).encode("ascii", "backslashreplace").decode("ascii")


def _cut(header: bytes) -> bytes:
    """Whole lines of the header, as many as fit, without the empty line at its end."""
    if len(header) > HEADER_OCTETS:
        end = header.rfind(b"\r\n", 0, HEADER_OCTETS)
        header = header[: end if end > 0 else HEADER_OCTETS]
    return header.rstrip(b"\r\n") + b"\r\n"


def _as_it_was(header: bytes) -> bytes:
    """The header, encoded only where seven bits or the length of lines do not do (RFC 6522 §4, RFC 2045 §2.7)."""
    if header.isascii() and max(map(len, header.split(b"\r\n"))) <= _LONGEST_LINE:
        return b"\r\n" + header
    return b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + _quoted(header)


def _quoted(text: bytes) -> bytes:
    return b2a_qp(text, istext=True)
