"""
The same of an application with a mail store of its own: what it acknowledged is in the spool, and from there comes
into every mailbox exactly once, though application, spool and store die together at any moment.

The application is the one of docs/backends.md, in docs/examples.
"""

from __future__ import annotations

import pytest

from ..examples.webmail import EXAMPLES
from ..integration.processes import TOOLS, NodeProcess, eventually, free_port
from .load import (
    CONFIG,
    FEWER_CRASHES,
    PASSWORD,
    SENDER,
    USERS,
    any_chance,
    check_exactly_once,
    killed_under_load,
    queued,
)


class ApplicationProcess(NodeProcess):
    """The worked example's application."""

    def command(self):
        """See NodeProcess."""
        return [TOOLS / "twistd", "-ny", EXAMPLES / "webmail.tac", "--pidfile="]

    def sign_up(self, *names):
        """Make users at the next start."""
        (self.folder / "passwords").write_text("".join(f"{name}:{PASSWORD}\n" for name in names))


@pytest.mark.crash
@pytest.mark.timeout(900)
def test_what_was_acknowledged_comes_from_the_spool_into_every_mailbox_exactly_once(tmp_path):
    node = ApplicationProcess(tmp_path / "node", CONFIG.format(dead_port=free_port("127.0.0.1")))
    node.sign_up("postmaster@crash.test", SENDER, *USERS)
    sent = killed_under_load(node, any_chance(), FEWER_CRASHES)

    node.start()
    here = {SENDER, *USERS}
    eventually(lambda: not any(here & places.keys() for places in queued(node).values()), 120)
    check_exactly_once(sent, node)
