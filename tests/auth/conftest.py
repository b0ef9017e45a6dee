"""A directory in a dict, and an executor that works when told."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from zope.interface import implementer

from twisted_mail_node.interfaces.store import IDirectory


@implementer(IDirectory)
class DictDirectory:
    def __init__(self, hashes=(), aliases=()):
        self.version = 1
        self.hashes = dict(hashes)
        self.aliases_by_source = dict(aliases)
        self.asked = []

    def add_user(self, name, password_hash, mailboxes=()):
        return self.set_password_hash(name, password_hash)

    def remove_user(self, name):
        del self.hashes[name]
        self.version += 1
        return succeed(None)

    def set_password_hash(self, name, password_hash):
        self.hashes[name] = password_hash
        self.version += 1
        return succeed(None)

    def users(self):
        return succeed(sorted(self.hashes))

    def password_hash(self, name):
        self.asked.append(name)
        return succeed(self.hashes.get(name))

    def set_alias(self, source, targets):
        self.aliases_by_source[source] = tuple(targets)
        self.version += 1
        return succeed(None)

    def alias(self, source):
        return succeed(self.aliases_by_source.get(source, ()))

    def aliases(self):
        return succeed(sorted(self.aliases_by_source.items()))


class ManualExecutor:
    """Keeps the work until `work_all`."""

    def __init__(self):
        self.waiting = []
        self.done = 0

    def run(self, work):
        result = Deferred(lambda d: self.waiting.remove((work, d)))
        self.waiting.append((work, result))
        return result

    def work_all(self):
        while self.waiting:
            work, result = self.waiting.pop(0)
            self.done += 1
            try:
                value = work()
            except Exception:
                result.errback()
            else:
                result.callback(value)


class InlineExecutor:
    """Works at once, and counts."""

    def __init__(self):
        self.done = 0

    def run(self, work):
        self.done += 1
        return maybeDeferred(work)


def _result_of(deferred):
    """What a Deferred has fired with; raises what it failed with."""
    seen = []
    deferred.addBoth(seen.append)
    assert seen, "has not fired"
    if hasattr(seen[0], "raiseException"):
        seen[0].raiseException()
    return seen[0]


@pytest.fixture
def result_of():
    """What a Deferred has fired with; raises what it failed with."""
    return _result_of


@pytest.fixture
def directory():
    return DictDirectory()


@pytest.fixture
def inline():
    return InlineExecutor()


@pytest.fixture
def manual():
    return ManualExecutor()
