"""The server and its databases as fixtures, for all tests."""

from __future__ import annotations

import pytest

from .cluster import Cluster
from .databases import Database, Databases


@pytest.fixture(scope="session")
def postgres_databases():
    """The databases of a server that lives as long as the test run; it starts when it is first asked for."""
    with Cluster() as cluster:
        yield Databases(cluster)


@pytest.fixture
def postgres_database(postgres_databases):
    """A database with nothing in it, not used before: for tests of how a store makes its tables."""
    return postgres_databases.new()


def clusters_of(funcargs: dict[str, object]) -> set[Cluster]:
    """The servers that a test has to do with, by its fixtures."""
    found = set()
    for value in funcargs.values():
        if isinstance(value, Cluster):
            found.add(value)
        elif isinstance(value, Database | Databases):
            found.add(value.cluster)
    return found
