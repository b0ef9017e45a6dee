"""
A pytest fixture for a whole node. Needs pytest-twisted; in a conftest.py:

    pytest_plugins = ["twisted_mail_node.testing.plugin"]

and in a test, run by `pytest_twisted.ensureDeferred`:

    async def test_mail_arrives(mail_node):
        await mail_node.add_user("alice@example.test")
        ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted

from .node import RunningNode


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest-twisted has no types
async def mail_node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A RunningNode with its defaults, stopped after the test."""
    from twisted.internet import reactor  # noqa: TID251  the one that pytest-twisted runs

    node = await RunningNode.start(reactor, tmp_path)
    yield node
    await node.stop()
