"""The worked example of docs/backends.md, as it lies in docs/examples."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from zope.interface import implementer

from twisted_mail_node.interfaces.deferred import returns_deferred
from twisted_mail_node.interfaces.store import IAccountKeeping

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

sys.path.insert(0, str(EXAMPLES))
WebmailStore = import_module("webmail_store").WebmailStore


@implementer(IAccountKeeping)
class WithAccounts(WebmailStore):
    """The example, in an application that lets the node make accounts."""

    @returns_deferred
    async def create_account(self, name, mailboxes=()):
        await self.sign_up(name)
        try:
            account = await self.account(name)
            for mailbox, special_use in mailboxes:
                await account.create(mailbox, special_use)
                await account.subscribe(mailbox, True)
        except Exception:
            await self.close_account(name)
            raise

    def remove_account(self, name):
        return self.close_account(name)
