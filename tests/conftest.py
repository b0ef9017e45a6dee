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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """
    Leave property tests as they were.

    pytest-twisted puts its own function into a hypothesis test each time it runs one, and a contract's test that
    runs for a second backend would then be inside of the first.
    """
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    inner_test = getattr(handle, "inner_test", None)
    try:
        return (yield)
    finally:
        if inner_test is not None:
            handle.inner_test = inner_test
