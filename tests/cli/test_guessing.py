"""`mailnode guessing`, where no node runs: what a running one says is in test_journey."""

from __future__ import annotations


def test_without_a_node_nobody_is_slowed(mailnode):
    for command in (("list",), ("release", "192.0.2.1")):
        assert "failed logins are forgotten with their node" in mailnode("guessing", *command, status=1)
