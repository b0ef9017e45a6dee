"""
The lines by which a message tells where it has been: Received for all, Return-Path and Delivered-To for one recipient.

Sources: RFC 5321 §4.4 (trace information), RFC 3848 and RFC 2033 §5 (the protocol's name), RFC 5321 §7.2 (why
`for` stands there with a single recipient only).
"""

from __future__ import annotations

import re
import time
from functools import lru_cache

from ..mail.address import Address
from ..mail.envelope import Client, Envelope, Forwarded, Peer, Service

# What a name in a trace line may consist of: domains, literals, and no way out of the line or into a comment.
_UNFIT = re.compile(r"[^A-Za-z0-9.:_\[\]-]")


def received(envelope: Envelope, hostname: str, transaction_id: str, now: float) -> bytes:
    """The Received field, folded, with its CRLF. `now` is in seconds since the epoch."""
    client = envelope.client
    to_whom = f"\r\n\tfor <{envelope.recipients[0].address}>" if len(envelope.recipients) == 1 else ""
    return (
        f"Received: from {_origin(client.hello, client.peer)}\r\n{_forwarded(client.forwarded)}"
        f"\tby {hostname} with {protocol_name(client, envelope.options.smtputf8)} id {transaction_id}{to_whom};\r\n"
        f"\t{date_time(int(now))}\r\n"
    ).encode()


def recipient_prefix(sender: Address | None, recipient: Address, account: str) -> bytes:
    """
    The lines in front of one recipient's copy: Return-Path, Delivered-To; X-Original-To where an alias led here.

    Source: RFC 5321 §4.4 (Return-path at final delivery); RFC 9228 (Delivered-To).
    """
    return_path = "<>" if sender is None else f"<{sender}>"
    original = "" if recipient.key == account else f"X-Original-To: {recipient}\r\n"
    return f"Return-Path: {return_path}\r\nDelivered-To: {account}\r\n{original}".encode()


def protocol_name(client: Client, is_utf8: bool = False) -> str:
    """The `with` of a trace line; `is_utf8`: MAIL said SMTPUTF8. Source: RFC 3848, RFC 2033 §5, RFC 6531 §4.3."""
    if client.service is Service.LMTP:
        name = "UTF8LMTP" if is_utf8 else "LMTP"
    elif client.esmtp:
        name = "UTF8SMTP" if is_utf8 else "ESMTP"
    else:
        return "SMTP"
    return f"{name}{'S' if client.peer.tls else ''}{'A' if client.account is not None else ''}"


@lru_cache(maxsize=64)
def date_time(unix_seconds: int) -> str:
    """A date as RFC 5322 §3.3 has it, in UTC."""
    parts = time.gmtime(unix_seconds)
    day, month = _DAYS[parts.tm_wday], _MONTHS[parts.tm_mon - 1]
    return f"{day}, {parts.tm_mday} {month} {parts.tm_year:04} {time.strftime('%H:%M:%S', parts)} +0000"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=1024)
def _origin(hello: str, peer: Peer) -> str:
    name = _UNFIT.sub("?", hello) or "unknown"
    called = f"{_UNFIT.sub('?', peer.name)} " if peer.name else ""
    if peer.is_local_socket:
        place = "(local socket)"
    elif ":" in peer.host:
        place = f"({called}[IPv6:{peer.host}])"
    else:
        place = f"({called}[{peer.host}])"
    if not peer.tls:
        return f"{name} {place}"
    security = f"{peer.tls_version} {peer.cipher}".strip() or "TLS"
    return f"{name} {place}\r\n\t({security})"


def _forwarded(told: Forwarded | None) -> str:
    """A comment on whom the client has the message from."""
    if told is None:
        return ""
    hello, name, host = (_UNFIT.sub("?", word) for word in (told.hello, told.name, told.host))
    words = (f"helo={hello}" if hello else "", name, f"[{host}]" if host else "")
    known = " ".join(word for word in words if word)
    return f"\t(forwarded for {known or 'somebody unknown'})\r\n"
