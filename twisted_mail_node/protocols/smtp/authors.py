"""
May who has logged in write as the authors that a message names? Sources: RFC 6409 §6.1, §8.1; RFC 5322 §3.6.2.

The same question as for MAIL (docs/adr/0014), asked of each address in From and Sender.
"""

from __future__ import annotations

from ...interfaces.auth import ILogin
from ...mail.authors import Authors
from ...mail.status import Reply, reply
from ...wire.smtp import replies


async def refusal_of(login: ILogin, authors: Authors) -> Reply | None:
    """Why a message of these authors is not taken from this login; None where it is. Fails as `may_send_as` does."""
    if not authors.is_sound or len(authors.senders) > 1:
        return replies.BAD_AUTHORS
    if len(set(authors.authors)) > 1 and not authors.senders:
        return replies.SENDER_NEEDED
    for address in dict.fromkeys((*authors.authors, *authors.senders)):
        if not await login.may_send_as(address):
            return reply(550, "5.7.1", f"you may not write as {address}, which is in From or Sender")
    return None
