"""What an LDAP server's answers mean; the server is a script."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from twisted_mail_node.auth.ldap import users as module
from twisted_mail_node.auth.ldap.connection import BASE_OBJECT, WHOLE_SUBTREE
from twisted_mail_node.auth.ldap.pool import IDLE_SECONDS, Pool
from twisted_mail_node.auth.ldap.queries import FilterTemplate
from twisted_mail_node.auth.ldap.users import LDAPUsers, Lookup
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.testing.deferreds import result_of

ANN, ENTRY = "ann@a.test", "uid=ann,dc=a"
SERVICE = ("cn=service", "word")


class Connection:
    """Answers by its server's tables."""

    def __init__(self, server):
        self.server, self.is_open, self.bound_as = server, True, None

    def bind(self, name, password):
        self.server.said.append(("bind", name))
        code = self.server.codes.get(name, 0 if self.server.passwords.get(name) == password else 49)
        self.bound_as = name if code == 0 else None
        return code if isinstance(code, Deferred) else succeed(code)

    def search(self, base, scope, filter, at_most):
        self.server.said.append(("search", base, scope))
        if self.server.search is not None:
            return self.server.search(self)
        return self.server.found if isinstance(self.server.found, Deferred) else succeed(self.server.found)

    def close(self):
        self.is_open = False


class Server:
    def __init__(self):
        self.said, self.codes, self.found, self.connections = [], {}, [ENTRY], []
        self.passwords = {SERVICE[0]: SERVICE[1], ENTRY: "secret"}
        self.is_down = False
        self.search = None

    def connect(self):
        if self.is_down:
            return fail(TemporaryFailure("refused"))
        self.connections.append(Connection(self))
        return succeed(self.connections[-1])


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def pool(server, clock):
    return Pool([server.connect], clock, at_once=2, timeout_seconds=10)


@pytest.fixture
def users(pool, clock):
    return ldap_users(pool, clock)


def ldap_users(pool, clock, **lookup):
    given = {"base": "dc=a", "service_name": SERVICE[0], "service_password": SERVICE[1], **lookup}
    return LDAPUsers(pool, Lookup(domains=["a.test"], filter=FilterTemplate("(mail={user})"), **given), clock)


def test_who_shows_the_password_of_the_entry_is_in(users, server):
    assert result_of(users.check(ANN, "secret")) is True
    assert server.said == [("bind", "cn=service"), ("search", "dc=a", WHOLE_SUBTREE), ("bind", ENTRY)]


@pytest.mark.parametrize("code", [19, 48, 49, 50, 53])
def test_a_refusal_is_a_wrong_password(users, server, code):
    server.codes[ENTRY] = code
    assert result_of(users.check(ANN, "secret")) is False


@pytest.mark.parametrize("code", [1, 8, 10, 13, 51, 52, 80])
def test_any_other_answer_decides_nothing(users, server, code):
    server.codes[ENTRY] = code
    with capturedLogs() as events, pytest.raises(TemporaryFailure):
        result_of(users.check(ANN, "secret"))
    assert str(code) in events[0]["reason"]


def test_an_empty_password_is_never_shown(users, server):
    server.codes[ENTRY] = 0
    assert result_of(users.check(ANN, "")) is False
    assert ("bind", ENTRY) not in server.said


def test_nobody_is_known_without_an_entry(users, server):
    server.found = []
    assert result_of(users.check(ANN, "secret")) is None
    assert result_of(users.knows(ANN)) is False


def test_several_entries_decide_nothing(users, server):
    server.found = [ENTRY, "uid=ann,dc=b"]
    with pytest.raises(TemporaryFailure):
        result_of(users.check(ANN, "secret"))


def test_names_of_other_domains_are_not_asked_about(users, server):
    assert result_of(users.check("ann@far.test", "secret")) is None
    assert result_of(users.knows("ann@far.test")) is False
    assert server.said == []


@pytest.mark.parametrize(
    "local", [" ann", "ann ", "a n", "an\u00adn", "an\u200bn", "an\ufe00n", "an\ufffcn", "a\uff4en"]
)
def test_what_a_server_takes_for_the_same_name_is_not_asked_about(users, server, local):
    assert result_of(users.check(f"{local}@a.test", "secret")) is None
    assert result_of(users.knows(f"{local}@a.test")) is False
    assert server.said == []
    assert result_of(users.knows("jörg@a.test")) is True


def test_without_a_service_nobody_searches(pool, clock, server):
    server.passwords[""] = ""
    users = ldap_users(pool, clock, service_name="", service_password="")
    assert result_of(users.check(ANN, "secret")) is True
    assert server.said[0] == ("bind", "")


def test_a_name_that_can_be_made_is_looked_at_itself(pool, clock, server):
    users = ldap_users(pool, clock, bind_name="uid={local},dc=a")
    assert result_of(users.check(ANN, "secret")) is True
    assert server.said[1] == ("search", ENTRY, BASE_OBJECT)


def test_a_service_that_is_not_let_in_decides_nothing(users, server):
    server.passwords[SERVICE[0]] = "another"
    with pytest.raises(TemporaryFailure):
        result_of(users.knows(ANN))


def test_who_exists_is_remembered_for_a_while(users, server, clock):
    for _ in range(5):
        assert result_of(users.knows(ANN)) is True
    assert len(server.said) == 2
    version = users.version
    clock.advance(61)
    assert users.version > version
    server.found = []
    assert result_of(users.knows(ANN)) is False


def test_what_is_remembered_is_bounded(users, server, monkeypatch):
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    for name in (ANN, "b@a.test", "c@a.test", ANN):
        result_of(users.knows(name))
    assert len([said for said in server.said if said[0] == "search"]) == 4


def test_a_password_is_asked_about_each_time(users, server):
    assert result_of(users.check(ANN, "secret"))
    server.passwords[ENTRY] = "new"
    assert result_of(users.check(ANN, "secret")) is False


def test_a_server_that_is_down_decides_nothing_and_is_told(users, server):
    server.is_down = True
    with capturedLogs() as events, pytest.raises(TemporaryFailure):
        result_of(users.check(ANN, "secret"))
    assert events[0]["reason"] == "refused"


# -- connections ----------------------------------------------------------------------------------------------------


def test_a_connection_is_kept_for_the_next_question(users, server, clock):
    result_of(users.check(ANN, "secret"))
    clock.advance(IDLE_SECONDS)
    result_of(users.check(ANN, "secret"))
    assert len(server.connections) == 1
    # The user's bind has ended the service's.
    assert [said for said in server.said if said == ("bind", "cn=service")] == [("bind", "cn=service")] * 2


def test_one_that_was_idle_for_long_is_not_trusted(users, server, clock):
    result_of(users.knows(ANN))
    clock.advance(IDLE_SECONDS + 1)
    result_of(users.check(ANN, "secret"))
    assert [connection.is_open for connection in server.connections] == [False, True]


def test_a_kept_one_that_turns_out_to_be_lost_is_replaced_once(users, server):
    result_of(users.check(ANN, "secret"))
    (kept,) = server.connections

    def lost(name, password):
        kept.is_open = False
        return fail(TemporaryFailure("lost"))

    kept.bind = lost
    assert result_of(users.check(ANN, "secret")) is True
    assert len(server.connections) == 2


def test_so_many_at_a_time_and_no_more(users, server):
    answers = []

    def search(connection, *_):
        answers.append(Deferred())
        return answers[-1]

    server.search = search
    asked = [users.check(ANN, "secret") for _ in range(3)]
    assert len(server.connections) == len(answers) == 2
    answers[0].callback([ENTRY])
    assert len(server.connections) == 2
    for answer in answers[1:]:
        answer.callback([ENTRY])
    assert [result_of(each) for each in asked] == [True, True, True]


def test_an_answer_that_does_not_come_decides_nothing(users, server, clock):
    server.found = Deferred()
    asked = users.check(ANN, "secret")
    clock.advance(10)
    with pytest.raises(TemporaryFailure):
        result_of(asked)
    assert not server.connections[0].is_open


def test_the_next_server_is_asked_where_one_is_down(server, clock):
    down = Server()
    down.is_down = True
    pool = Pool([down.connect, server.connect], clock)
    assert result_of(ldap_users(pool, clock).check(ANN, "secret")) is True


def test_after_the_stop_all_are_closed_and_none_is_made(users, pool, server):
    result_of(users.check(ANN, "secret"))
    pool.stop()
    assert not server.connections[0].is_open
    with pytest.raises(TemporaryFailure):
        result_of(users.check(ANN, "secret"))


def test_one_in_use_at_the_stop_is_closed(users, pool, server):
    server.found = Deferred()
    asked = users.check(ANN, "secret")
    pool.stop()
    assert not server.connections[0].is_open
    server.found.errback(TemporaryFailure("lost"))
    with pytest.raises(TemporaryFailure):
        result_of(asked)
