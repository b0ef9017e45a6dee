"""
One report, put together of its parts. Pure.

Sources: RFC 6522 (multipart/report), RFC 3834 §5 (Auto-Submitted), RFC 5322 (header), RFC 6533 §4.4, §4.5 (what it
looks like for a sender who takes UTF-8).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate

from ...mail.address import Address
from ...mail.report import TOLD_TOGETHER, Action, Reported, Told
from ...mail.transaction import Body
from ...wire.smtp.paths import needs_smtputf8
from .addresses import header_address
from .returned import HEADER_OCTETS, returned_part
from .status import status_part
from .words import subject, words_part

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?(<[!-=?-~]{1,250}>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: this node's host name, and the address that answers go to."""

    hostname: str
    postmaster: Address


def report(reporter: Reporter, report_id: str, reported: Reported, told: Sequence[Told], now: float) -> Body:
    """
    The report to the sender of a message, small enough for one piece.

    It is seven-bit, but for a sender whose address needs SMTPUTF8 anyway, and for a whole message that is not. Beyond
    TOLD_TOGETHER of `told` the others are only counted. `report_id` is unique for ever: it makes Message-ID and
    boundary.
    """
    count, told = len(told), told[:TOLD_TOGETHER]
    # Only an address can tell that the way back takes UTF-8; a sender who asked for it reads it (RFC 6533 §4.5).
    eight_bit = needs_smtputf8(reported.sender)
    utf8 = eight_bit or reported.options.smtputf8
    has_failed = any(one.action is Action.FAILED for one in told)
    returned = returned_part(reported, has_failed=has_failed, utf8=utf8, eight_bit=eight_bit)
    parts = [
        words_part(reporter.hostname, told, count - len(told), is_whole=returned.is_whole),
        status_part(reporter.hostname, reported, told, now, utf8=utf8, eight_bit=eight_bit),
        returned.octets,
    ]
    is_eight_bit = eight_bit or returned.eight_bit
    boundary = f"=_{report_id}"
    head = _header(reporter, report_id, reported, subject(told, count), boundary, now, is_eight_bit)
    line = f"\r\n--{boundary}\r\n".encode("ascii")
    content = (
        head
        + b"This is a report in several parts about a message of yours.\r\n"
        + b"".join(line + part for part in parts)
        + f"\r\n--{boundary}--\r\n".encode("ascii")
    )
    return Body(len(content), len(head), content, eight_bit=not content.isascii())


def _header(
    reporter: Reporter, report_id: str, reported: Reported, subject: str, boundary: str, now: float, eight_bit: bool
) -> bytes:
    lines = [
        f"Date: {formatdate(now)}",
        f'From: "Mail Delivery (MAILER-DAEMON)" <{header_address(reporter.postmaster)}>',
        f"To: <{header_address(reported.sender)}>",
        f"Subject: {subject}",
        f"Message-ID: <{report_id}@{reporter.hostname}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"',
    ]
    if eight_bit:
        lines.append("Content-Transfer-Encoding: 8bit")
    original = _MESSAGE_ID.search(reported.header[:HEADER_OCTETS])
    if original is not None:
        name = original[1].decode("ascii")
        lines[5:5] = [f"In-Reply-To: {name}", f"References: {name}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
