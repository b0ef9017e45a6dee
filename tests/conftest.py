"""No lost failures: a test in which Twisted logged a Failure, or a Deferred lost its error, fails."""

from __future__ import annotations

import gc

import pytest
from twisted.logger import globalLogPublisher

pytest.register_assert_rewrite("twisted_mail_node.testing")


@pytest.fixture(autouse=True)
def logged_failures():
    """Every Failure logged during the test; a test that expects one empties the list."""
    seen = []

    def observe(event):
        if event.get("log_failure") is not None:
            seen.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    yield seen
    gc.collect()
    globalLogPublisher.removeObserver(observe)
    assert not seen, [failure.getTraceback() for failure in seen]
