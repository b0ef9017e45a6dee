"""
The part of a report that programs read: message/delivery-status, or its sibling for addresses beyond ASCII.

Sources: RFC 3464 §2.1, §2.2, §2.3, RFC 3461 §6.3, RFC 6533 §4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate

from ...mail.report import Action, Reported, Told
from ...wire.smtp.original_recipient import read_xtext
from .addresses import final_recipient, first_recipient
from .text import folded, plain, quoted, short


def status_part(
    hostname: str, reported: Reported, told: Sequence[Told], now: float, *, utf8: bool, eight_bit: bool
) -> bytes:
    """
    The part with its header. `utf8`: who gets the report reads UTF-8; `eight_bit`: and it may go unencoded.
    """
    groups = [_about(hostname, reported), *(_recipient(one, now, utf8=utf8) for one in told)]
    content = "\r\n".join(groups).encode()
    if content.isascii():
        return b"Content-Type: message/delivery-status\r\n\r\n" + content
    head = b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: "
    if eight_bit:
        return head + b"8bit\r\n\r\n" + content
    return head + b"quoted-printable\r\n\r\n" + quoted(content)


def is_answer(told: Told) -> bool:
    """Whether the words are a server's: those begin with a reply code, ours do not."""
    return told.reply[:3].isdecimal()


def _about(hostname: str, reported: Reported) -> str:
    fields = []
    if reported.options.envelope_id is not None:  # RFC 3461 §6.3 (a)
        fields.append(f"Original-Envelope-Id: {plain(read_xtext(reported.options.envelope_id))}")
    fields += [f"Reporting-MTA: dns; {hostname}", f"Arrival-Date: {formatdate(reported.arrived)}"]
    return "\r\n".join(fields) + "\r\n"


def _recipient(told: Told, now: float, *, utf8: bool) -> str:
    fields = []  # in the order of RFC 3464 §2.3
    original = first_recipient(told, utf8=utf8)
    if original:
        fields.append(f"Original-Recipient: {original}")
    fields += [
        f"Final-Recipient: {final_recipient(told, utf8=utf8)}",
        f"Action: {told.action.value}",
        f"Status: {told.status}",
    ]
    if told.host:
        fields.append(f"Remote-MTA: dns; {plain(told.host)}")
    if told.reply or told.action is Action.FAILED:
        kind = "smtp" if is_answer(told) else "x-local"
        fields.append(folded(f"Diagnostic-Code: {kind}; {plain(short(told.reply))}"))
    fields.append(f"Last-Attempt-Date: {formatdate(now)}")
    return "\r\n".join(fields) + "\r\n"
