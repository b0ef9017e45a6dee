"""The whole doors."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from ...interfaces.store import IAccount, IMailbox, IMailStore
from ..backend import Backend, on_backend


class DoorsContract:
    """IMailStore, IAccount, IMailbox."""

    @on_backend
    async def test_doors_are_provided(self, backend: Backend) -> None:
        account = await backend.new_account()
        assert verifyObject(IMailStore, backend.store)
        assert verifyObject(IAccount, account)
        assert verifyObject(IMailbox, await account.mailbox("INBOX"))
