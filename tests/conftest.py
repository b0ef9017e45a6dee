"""
No lost failures: a test in which Twisted logged a Failure, or a Deferred lost its error, fails.

Tests of other people's programs are left out where those are missing, and a test that fails on a server of PostgreSQL
shows what the server said. Tests that measure what others would disturb run alone.
"""

from __future__ import annotations

import gc

import pytest
from pytest_twisted import _get_mark
from twisted.logger import globalLogPublisher

pytest.register_assert_rewrite("twisted_mail_node.testing")

from . import company, programs  # noqa: E402
from .postgres.fixtures import clusters_of, postgres_database, postgres_databases  # noqa: E402

__all__ = ["postgres_database", "postgres_databases"]


@pytest.fixture(autouse=True)
def place_among_others(request, tmp_path_factory):
    """See `company`: before any other fixture of the test, and until the last has ended."""
    if not company.in_several_processes():
        yield
        return
    # The processes' folders are beside each other.
    with company.company(tmp_path_factory.getbasetemp().parent, bool(request.node.get_closest_marker("alone"))):
        yield


@pytest.fixture(autouse=True)
def logged_failures(place_among_others):
    """Every Failure logged during the test; a test that expects one empties the list."""
    seen = []

    def observe(event):
        # What a protocol raises into the reactor comes by the older log, under another name.
        failure = event.get("log_failure") or (event.get("failure") if event.get("isError") else None)
        if failure is not None:
            seen.append(failure)

    globalLogPublisher.addObserver(observe)
    yield seen
    # A Deferred tells of a lost error when it is collected. What survives is set aside, so that the next test's
    # collection looks at its own objects only.
    gc.collect()
    gc.freeze()
    globalLogPublisher.removeObserver(observe)
    assert not seen, [failure.getTraceback() for failure in seen]


def pytest_collection_modifyitems(items):
    for marker, lacking in programs.missing().items():
        left_out = pytest.mark.skip(reason=f"not installed: {', '.join(lacking)} (see .ci/run)")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        for cluster in clusters_of(getattr(item, "funcargs", {})):
            report.sections.append((f"PostgreSQL at port {cluster.port}", cluster.log_tail()))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """
    Run tests that do not ask for the reactor without it.

    pytest-twisted would run each of them (and each example of a property) in a turn of its reactor, and wraps a
    property that is run with several parameters once more for each of them.
    """
    function = pyfuncitem.obj
    if _get_mark(function) is not None or _get_mark(getattr(function, "__func__", function)) is not None:
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    result = function(**{name: value for name, value in pyfuncitem.funcargs.items() if name in wanted})
    assert result is None, f"{pyfuncitem.nodeid} gave {result!r}: a coroutine or Deferred that nobody waits for"
    return True
