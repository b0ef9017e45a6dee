"""
What peers may try, against one node that runs through all of it: only the standard's refusals come of it, memory
stays bounded, and the next one is served.

Every test runs inside `unharmed`, which holds the node's peak of memory during the test to a bound and talks to every
service behind it. Timeouts that no setting may shorten are tested with the sessions themselves.
"""

from __future__ import annotations

import time

import pytest

from .node import GROWTH, LISTEN, MIB, SMTP_LIKE, Node


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("hostile"))
    try:
        yield node
    finally:
        node.process.stop()
    assert "Traceback" not in node.process.log


@pytest.fixture(scope="session", autouse=True)
def silent(node):
    """Peers that come first and never say a word: time goes by for them while the other tests run."""
    since = time.monotonic()
    peers = [(service, tls, node.peer(service, tls, greeted=False)) for service, tls in LISTEN if service in SMTP_LIKE]
    yield since, peers
    for _, _, peer in peers:
        peer.close()


@pytest.fixture(autouse=True)
def unharmed(node, request):
    node.serves()
    node.forget_peak()
    before = node.memory()
    yield
    grown = node.memory("VmHWM") - before
    allowed = getattr(request.function, "allowed_growth", GROWTH)
    assert grown < allowed, f"grew by {grown / MIB:.1f} MiB"
    node.serves()
