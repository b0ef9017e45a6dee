"""
What a submission agent adds to a message that lacks it. Source: RFC 6409 §8.2 (Date), §8.3 (Message-ID).
"""

from __future__ import annotations

from ..mail.envelope import Client, Service
from .header import HeaderFacts
from .trace import date_time


def is_submission(client: Client) -> bool:
    """Whether the message begins its way here: by its author's own client, not by another node."""
    return client.service is Service.SUBMISSION or client.account is not None


def missing_fields(facts: HeaderFacts, hostname: str, transaction_id: str, now: float) -> bytes:
    """Date and Message-ID where the header has none, each with its CRLF."""
    lines = ""
    if not facts.has_date:
        lines += f"Date: {date_time(int(now))}\r\n"
    if not facts.has_message_id:
        lines += f"Message-ID: <{transaction_id}@{hostname}>\r\n"
    return lines.encode("ascii")
