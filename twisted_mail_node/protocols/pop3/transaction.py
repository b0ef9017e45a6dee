"""
The transaction state: marks, and the update that QUIT begins. Source: RFC 1939 §5, §6.

Neighbours: `listings` and `retrieval` answer the other commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from ...mail.errors import MailError
from ...wire.pop3 import replies
from ...wire.pop3.commands import (
    AskStatus,
    Delete,
    DoNothing,
    ListSizes,
    ListUniqueIds,
    Quit,
    Reset,
    Retrieve,
    RetrieveTop,
)
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.replies import ResponseCode
from ..driver import Answer
from .anywhere import ANYWHERE
from .lease import MaildropLease
from .listings import Listings
from .maildrop import Maildrop
from .retrieval import Retrieval
from .session_parts import Parts


class Transaction:
    """Answers commands on an open maildrop."""

    _log = Logger()

    def __init__(self, parts: Parts, maildrop: Maildrop, lease: MaildropLease) -> None:
        self._parts = parts
        self._maildrop = maildrop
        self._lease = lease
        self._retrieval = Retrieval(parts, maildrop)
        listings = Listings(parts, maildrop)
        self._answers: dict[type, Callable[[Any], Answer]] = {  # Any: each takes the command it stands beside.
            Retrieve: self._retrieval.retrieve,
            RetrieveTop: self._retrieval.top,
            Delete: self._delete,
            AskStatus: listings.status,
            ListSizes: listings.sizes,
            ListUniqueIds: listings.unique_ids,
            Reset: self._reset,
            DoNothing: self._do_nothing,
            Quit: self._quit,
        }

    def answer(self, command: Any) -> Answer:  # Any: see the table.
        """Answer a command of this state."""
        mine = self._answers.get(type(command))
        return mine(command) if mine is not None else ANYWHERE[type(command)](self._parts, command)

    def close(self) -> None:
        """The session is over: let go of everything. Without QUIT nothing is removed (RFC 1939 §6)."""
        self._retrieval.clear()
        self._lease.release()

    def _delete(self, command: Delete) -> bytes:
        if not self._maildrop.has(command.number):
            return self._parts.error(Phrase.NO_SUCH_MESSAGE)
        self._maildrop.mark(command.number)
        self._retrieval.forget(command.number)
        return self._parts.ok(Phrase.MARKED)

    def _reset(self, _: Reset) -> bytes:
        self._maildrop.unmark_all()
        return self._parts.ok(Phrase.MAILDROP, messages=self._maildrop.messages, octets=self._maildrop.octets)

    def _do_nothing(self, _: DoNothing) -> bytes:
        return self._parts.engine.send(replies.OK)

    async def _quit(self, _: Quit) -> bytes:
        """The update state: one commit removes what is marked (RFC 1939 §6)."""
        removed = await self._removed()
        # Given back before the client is told, so that it may come again at once.
        await self._lease.release()
        parts = self._parts
        return parts.ok(Phrase.BYE) if removed else parts.error(Phrase.NOT_REMOVED, ResponseCode.SYS_TEMP)

    async def _removed(self) -> bool:
        marked = self._maildrop.marked_uids
        if not marked:
            return True
        try:
            await self._maildrop.mailbox.expunge(marked, only_deleted=False)
        except CancelledError:
            raise
        except MailError as error:
            self._log.warn("update of a maildrop failed: {reason}", reason=error.text, session=self._parts.session_id)
            return False
        except Exception:
            self._log.failure("update of a maildrop broke", session=self._parts.session_id)
            return False
        return True
