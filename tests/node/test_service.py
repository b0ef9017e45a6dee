"""A node's life on a clock and a reactor in memory."""

import json

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.testing import MemoryReactorClock, StringTransport

from twisted_mail_node.node.assemble import assemble
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.doors import Storage
from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.store.memory import MemoryStore

SETTINGS = {
    "hostname": "mx.a.test",
    "state_dir": "state",
    "domain": [{"name": "a.test"}],
    "listen": [{"service": "smtp", "endpoint": "tcp:2525"}, {"service": "imap", "endpoint": "tcp:2143"}],
    "store": {"kind": "memory"},
}


class SlowStore(MemoryStore):
    """Starts and stops when it is told to."""

    def __init__(self, clock):
        super().__init__(clock)
        self.starting, self.stopping = Deferred(), Deferred()

    def start(self):
        super().start()
        return self.starting

    def stop(self):
        super().stop()
        return self.stopping


class Life:
    """A node on a reactor in memory."""

    def __init__(self, folder, store=None, **settings):
        self.reactor = MemoryReactorClock()
        self.reactor.running = True
        self.store = (store or MemoryStore)(self.reactor)
        storage = Storage(self.store, self.store, self.store, self.store)
        config = parse_config({**SETTINGS, **settings}, base=folder)
        self.node = assemble(config, reactor=self.reactor, storage=storage)
        self.state = folder / "state"

    @property
    def ports(self):
        return [port for port, *_ in self.reactor.tcpServers]

    def serving(self):
        outcome = []
        self.node.when_serving().addBoth(outcome.append)
        return outcome

    def client(self, number):
        protocol, transport = self.reactor.tcpServers[number][1].buildProtocol(None), StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def stop(self):
        stopped = []
        self.node.stopService().addBoth(stopped.append)
        return stopped


@pytest.fixture
def life(tmp_path):
    """A node that serves."""
    life = Life(tmp_path)
    life.node.startService()
    return life


def test_ports_are_bound_first_and_state_is_opened_second(tmp_path):
    life = Life(tmp_path)
    life.node.privilegedStartService()
    assert life.ports == [2525, 2143]
    assert not life.state.exists()
    life.node.startService()
    assert life.ports == [2525, 2143]
    assert life.serving() == [None]
    assert (life.state / "listening.json").exists()


def test_nothing_is_told_before_the_store_is_open(tmp_path):
    life = Life(tmp_path, SlowStore)
    life.node.startService()
    told = life.serving()
    assert told == []
    assert not (life.state / "listening.json").exists()
    life.store.starting.callback(None)
    assert told == [None]
    assert [entry["service"] for entry in json.loads((life.state / "listening.json").read_text())["listeners"]] == [
        "smtp", "imap",
    ]  # fmt: skip


def test_what_an_earlier_life_told_is_taken_back_at_once(tmp_path):
    life = Life(tmp_path, SlowStore)
    life.state.mkdir(0o700)
    (life.state / "listening.json").write_text("{}")
    life.node.startService()
    assert not (life.state / "listening.json").exists()


def test_postmaster_has_a_mailbox(life):
    users = []
    life.store.users().addCallback(users.extend)
    assert users == ["postmaster@a.test"]


def test_clients_are_told_and_the_store_is_closed(life):
    _, smtp = life.client(0)
    _, imap = life.client(1)
    smtp.clear()
    imap.clear()
    stopped = life.stop()
    assert smtp.value().startswith(b"421 ")
    assert imap.value().startswith(b"* BYE")
    assert not (life.state / "listening.json").exists()
    assert stopped == []
    life.reactor.advance(3.0)
    assert stopped == [None]
    assert not life.store.life.running


def test_stopping_takes_eight_seconds_at_the_most(tmp_path):
    life = Life(tmp_path, SlowStore)
    life.node.startService()
    life.store.starting.callback(None)
    life.client(0)
    stopped = life.stop()
    for _ in range(80):
        life.reactor.advance(0.1)
    assert stopped == [None]
    assert not (life.state / "control.sock").exists()


def test_a_node_stopped_before_it_serves_says_so(tmp_path):
    life = Life(tmp_path, SlowStore)
    life.node.startService()
    told = life.serving()
    stopped = life.stop()
    for _ in range(80):
        life.reactor.advance(0.1)
    assert stopped == [None]
    assert told[0].check(CancelledError)


def test_a_store_that_cannot_start_ends_the_node(tmp_path, logged_failures):
    life = Life(tmp_path, SlowStore)
    life.node.startService()
    told = life.serving()
    life.store.stopping = succeed(None)
    life.store.starting.errback(OSError("the disk is gone"))
    life.reactor.advance(0.1)
    assert told[0].check(CannotStart)
    assert told[0].getErrorMessage() == "the node can't start: the disk is gone"
    assert logged_failures.pop().check(OSError)
    assert life.stop() == [None]
    late = life.serving()
    assert late == [] or late[0].check(CannotStart)


def test_a_port_that_is_taken_gives_all_others_back(tmp_path):
    life = Life(tmp_path)
    listen = life.reactor.listenTCP

    def second_is_taken(port, *rest, **options):
        if port == 2143:
            raise OSError(98, "taken")
        return listen(port, *rest, **options)

    life.reactor.listenTCP = second_is_taken
    with pytest.raises(CannotStart, match="imap can't listen on tcp:2143: another program listens there already"):
        life.node.startService()
    assert life.node.listeners == ()
    assert not life.state.exists()


def test_the_folder_is_made_only_when_it_is_needed(tmp_path):
    life = Life(tmp_path)
    assert not life.state.exists()
    assert life.ports == []
