"""
A node is killed by SIGKILL at random moments under load, over and over. What it acknowledged must be in every
place exactly once, and nothing may be there in part.

The way out leads to a port where nobody listens, so what is for elsewhere stays in the queue and can be counted. Where
mail is in a PostgreSQL server, that is killed with the node now and then.
"""

from __future__ import annotations

import pytest

from ..integration.processes import NodeProcess, free_port
from ..postgres.cluster import Cluster
from ..postgres.databases import Databases
from .load import (
    CONFIG,
    CRASHES,
    FEWER_CRASHES,
    PASSWORD,
    SENDER,
    USERS,
    any_chance,
    check_exactly_once,
    killed_under_load,
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request):
    """The server that the node keeps its mail with; None where it keeps it itself."""
    if request.param == "sqlite":
        yield None
        return
    with Cluster(durable=True) as cluster:
        yield cluster


def store_of(server: Cluster | None) -> str:
    """Settings in [store]."""
    if server is None:
        return 'kind = "sqlite"\n'
    return f'kind = "postgres"\ndsn = "{Databases(server).new().dsn}"\n'


@pytest.mark.crash
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bodies", ["database", "maildir"])
def test_what_was_acknowledged_is_everywhere_exactly_once(tmp_path, server, bodies):
    config = CONFIG.format(dead_port=free_port("127.0.0.1")) + f'[store]\nbodies = "{bodies}"\n' + store_of(server)
    node = NodeProcess(tmp_path / "node", config)
    for user in (SENDER, *USERS):
        node.add_user(user, PASSWORD)
    default = server is None and bodies == "database"
    sent = killed_under_load(node, any_chance(), CRASHES if default else FEWER_CRASHES, server)

    # Not before: a server may still commit what the node sent it before the last kill.
    node.start()
    check_exactly_once(sent, node)
