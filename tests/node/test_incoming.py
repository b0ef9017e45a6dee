"""Which policies the sessions of a listener ask."""

from __future__ import annotations

from twisted.internet.testing import MemoryReactorClock

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Client, Peer, Service
from twisted_mail_node.mail.verdict import Accept
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.doors import Storage, complete
from twisted_mail_node.node.incoming import make_incoming
from twisted_mail_node.policy import OpenPolicy, RelayPolicy
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.testing.deferreds import result_of

SMTP, SUBMISSION, LMTP = range(3)
FAR = Peer("192.0.2.1")


def policies(tmp_path, more=(), **settings):
    listen = [{"service": service, "endpoint": "tcp:0"} for service in ("smtp", "submission", "lmtp")]
    config = parse_config({"listen": listen, **settings}, base=tmp_path)
    reactor = MemoryReactorClock()
    store = MemoryStore(reactor)
    doors = complete(Storage(store, store, store, store), tmp_path / "spool", reactor, 0)
    incoming = make_incoming(config, doors, reactor, more)
    return [incoming.policy_for(listen) for listen in config.listeners()]


def senders(policy, client, times=3):
    verdicts = [result_of(policy.sender(client, Address("ann", "a.test"), ())) for _ in range(times)]
    return [250 if isinstance(verdict, Accept) else verdict.code for verdict in verdicts]


def test_rates_of_an_address_are_for_strangers_at_service_smtp(tmp_path):
    made = policies(tmp_path, limits={"message_rate": 1})
    assert senders(made[SMTP], Client(FAR, Service.SMTP)) == [250, 450, 450]
    assert senders(made[SMTP], Client(Peer("127.0.0.1"), Service.SMTP)) == [250] * 3
    assert senders(made[SUBMISSION], Client(FAR, Service.SUBMISSION)) == [250] * 3
    assert senders(made[LMTP], Client(FAR, Service.LMTP)) == [250] * 3
    connected = policies(tmp_path, limits={"connection_rate": 1})[SMTP].connected
    assert [type(result_of(connected(Client(FAR, Service.SMTP)))) is Accept for _ in range(2)] == [True, False]


def test_what_an_account_may_send_is_counted_where_one_can_log_in(tmp_path):
    settings = {"messages_per_account": 1, "unlimited_accounts": ["News@a.test"]}
    made = policies(tmp_path, submission=settings)
    ann, news = (Client(FAR, Service.SUBMISSION, account=name) for name in ("ann@a.test", "news@a.test"))
    assert senders(made[SUBMISSION], ann) == [250, 450, 450]
    assert senders(made[SUBMISSION], news) == [250] * 3
    assert isinstance(made[SMTP], RelayPolicy)
    assert isinstance(made[LMTP], RelayPolicy)


def test_an_applications_policies_are_asked_first(tmp_path):
    class Curious(OpenPolicy):
        asked = 0

        def sender(self, client, sender, parameters):
            self.asked += 1
            return super().sender(client, sender, parameters)

    curious = Curious()
    made = policies(tmp_path, [curious], limits={"message_rate": 1})
    for policy, service in zip(made, (Service.SMTP, Service.SUBMISSION, Service.LMTP), strict=True):
        senders(policy, Client(FAR, service))
    assert curious.asked == 9
