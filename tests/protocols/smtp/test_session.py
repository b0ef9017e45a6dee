"""Sessions over the memory store: what is delivered, what is asked, what happens when things go wrong."""

from __future__ import annotations

import pytest
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from twisted_mail_node.interfaces.intake import IIntake, IMessageSink
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.mail.errors import TemporaryFailure
from twisted_mail_node.mail.status import EnhancedStatus, reply
from twisted_mail_node.mail.verdict import Accept, Defer, Reject
from twisted_mail_node.policy import OpenPolicy
from twisted_mail_node.protocols.smtp import SMTPFactory, SMTPSettings
from twisted_mail_node.testing.deferreds import result_of

MAIL = b"MAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\nDATA\r\n"
MESSAGE = b"Subject: x\r\n\r\ntext\r\n"


def codes(output: bytes) -> list[int]:
    return [int(line[:3]) for line in output.splitlines()]


def test_a_message_is_in_the_mailbox_when_250_is_said(site):
    connection = site.connections()()
    connection.feed(b"EHLO c.test\r\n" + MAIL + MESSAGE + b".\r\n")
    assert codes(connection.take())[-1] == 250
    [content] = site.messages("alice@a.test")
    assert content.startswith(
        b"Return-Path: <s@c.test>\r\nDelivered-To: alice@a.test\r\nReceived: from c.test ([127.0.0.1])"
    )
    assert b"with ESMTP id" in content
    assert content.endswith(MESSAGE)


def test_submission_reaches_mailboxes_and_queue_at_once(site):
    connection = site.connections(service=Service.SUBMISSION, auth="required")()
    connection.feed(b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\nMAIL FROM:<alice@a.test>\r\n")
    connection.feed(b"RCPT TO:<list@a.test>\r\nRCPT TO:<x@d.test>\r\nDATA\r\n" + MESSAGE + b".\r\n")
    assert codes(connection.take())[-5:] == [250, 250, 250, 354, 250]
    [content] = site.messages("alice@a.test")
    assert b"with ESMTPA id" in content
    assert b"Message-ID: <" in content
    assert b"X-Original-To: list@a.test" in content
    assert len(site.messages("bob@a.test")) == 1
    queued = {str(item.recipient): item.original_recipient and str(item.original_recipient) for item in site.queued()}
    assert queued == {"carol@c.test": "list@a.test", "x@d.test": None}


def test_one_octet_over_the_limit_is_swallowed_and_refused(site):
    for extra, code in ((0, 250), (1, 552)):
        connection = site.connections()()
        connection.feed(b"HELO c.test\r\n" + MAIL)
        connection.feed(b"A: b\r\n\r\n")
        rest = 1_000_000 - 8 + extra
        for _ in range(rest // 1000):
            connection.feed(b"x" * 998 + b"\r\n")
        connection.feed(b"y" * (rest % 1000 - 2) + b"\r\n.\r\nNOOP\r\n")
        assert codes(connection.take())[-2:] == [code, 250]
    assert len(site.messages("alice@a.test")) == 1


def test_bare_newlines_are_made_whole_where_the_setting_says_so(site):
    connection = site.connections(bare_newlines="normalise")()
    connection.feed(b"HELO c.test\r\n" + MAIL + b"A: b\n\r\none\rtwo\n.\nthree\r\n.\r\n")
    assert codes(connection.take())[-1] == 250
    [content] = site.messages("alice@a.test")
    assert content.endswith(b"A: b\r\n\r\none\r\ntwo\r\n.\r\nthree\r\n")


def test_refused_bare_newlines_leave_nothing_behind(site):
    connection = site.connections()()
    connection.feed(b"HELO c.test\r\n" + MAIL + b"text\n.\r\nMAIL FROM:<evil@x>\r\n.\r\n" + MAIL + MESSAGE + b".\r\n")
    assert codes(connection.take())[4:] == [354, 550, 250, 250, 354, 250]
    assert len(site.messages("alice@a.test")) == 1


def test_recipients_beyond_the_limit_are_for_the_next_transaction(site):
    connection = site.connections(max_recipients=100)()
    connection.feed(b"HELO c.test\r\nMAIL FROM:<s@c.test>\r\n")
    connection.take()
    said = set()
    for _ in range(100):  # 100,000 in all
        connection.feed(b"RCPT TO:<alice@a.test>\r\n" * 1000)
        answers = connection.take().split(b"\r\n")
        said |= {answer[:9] for answer in answers[100:]} - {b""}
    assert said == {b"452 4.5.3"}
    connection.feed(b"DATA\r\n" + MESSAGE + b".\r\n")
    assert codes(connection.take()) == [354, 250]
    assert len(site.messages("alice@a.test")) == 1


class Late(OpenPolicy):
    """Answers when told to."""

    def __init__(self, policy):
        self.policy, self.waiting, self.cancelled = policy, [], []

    def recipient(self, client, sender, recipient):
        late = Deferred(self.cancelled.append)
        self.waiting.append(late)
        return late.addCallback(lambda _: self.policy.recipient(client, sender, recipient))

    def answer_one(self):
        self.waiting.pop(0).callback(None)


def test_late_answers_keep_the_order_of_the_commands(site):
    policy = Late(site.policy)
    connection = site.connections(policy=policy)()
    connection.feed(b"HELO c.test\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\nRCPT TO:<no@a.test>\r\nDATA\r\n")
    connection.feed(MESSAGE + b".\r\nQUIT\r\n")
    assert codes(connection.take()) == [220, 250, 250]
    policy.answer_one()
    assert codes(connection.take()) == [250]
    policy.answer_one()
    assert codes(connection.take()) == [550, 354, 250, 221]
    assert connection.closed
    assert len(site.messages("alice@a.test")) == 1


def test_a_peer_that_leaves_while_policy_thinks_is_forgotten_without_a_word(site):
    policy = Late(site.policy)
    connection = site.connections(policy=policy)()
    connection.feed(b"HELO c.test\r\n" + MAIL)
    connection.take()
    connection.drop()
    assert len(policy.cancelled) == 1
    assert connection.take() == b""
    assert site.clock.getDelayedCalls() == []


class Judge(OpenPolicy):
    def __init__(self, stage, answer):
        self.stage, self.answer_given = stage, answer

    def _say(self, stage):
        if stage != self.stage:
            return succeed(Accept())
        return self.answer_given() if callable(self.answer_given) else succeed(self.answer_given)

    def connected(self, client):
        return self._say("connected")

    def hello(self, client):
        return self._say("hello")

    def sender(self, client, sender, parameters):
        return self._say("sender")

    def recipient(self, client, sender, recipient):
        return self._say("recipient")

    def verify(self, client, text):
        return self._say("verify")


NO, LATER = Reject(EnhancedStatus(5, 7, 1), "no"), Defer(EnhancedStatus(4, 7, 1), "later")
LAST = {
    "connected": b"",
    "hello": b"EHLO c\r\n",
    "sender": b"HELO c\r\nMAIL FROM:<s@c.test>\r\n",
    "recipient": b"HELO c\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\n",
    "verify": b"VRFY alice\r\n",
}


@pytest.mark.parametrize("stage", LAST)
@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (NO, b"550 5.7.1 no"),
        (LATER, b"451 4.7.1 later"),
        (lambda: fail(TemporaryFailure("down")), b"451 4.3.0 down"),
        (Defer(EnhancedStatus(4, 7, 0), "go", 421), b"421 4.7.0 go"),
    ],
)
def test_policy_is_heard_at_each_stage(site, stage, verdict, line):
    connection = site.connections(policy=Judge(stage, verdict))()
    connection.feed(LAST[stage])
    said = connection.take().splitlines()[-1]
    if stage == "connected":
        line = {b"550": b"554", b"451": b"421"}.get(line[:3], line[:3]) + line[3:] if verdict in (NO, LATER) else line
    assert said == line
    assert connection.closed is (line[:3] == b"421")
    connection.drop()


def test_an_accept_that_leads_nowhere_is_no_recipient(site):
    connection = site.connections(policy=OpenPolicy())()
    connection.feed(b"HELO c\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<alice@a.test>\r\n")
    assert connection.take().splitlines()[-1].startswith(b"550 5.1.1")


def test_vrfy_may_tell_if_policy_wants(site):
    recipient = result_of(site.recipients.resolve(Address("alice", "a.test")))
    connection = site.connections(policy=Judge("verify", recipient))()
    connection.feed(b"HELO c\r\nVRFY alice\r\n")
    assert connection.take().splitlines()[-1] == b"250 2.1.5 <alice@a.test>"


@pytest.mark.parametrize("stage", LAST)
def test_a_bug_in_a_policy_is_logged_and_temporary(site, stage, logged_failures):
    def breaks():
        raise ZeroDivisionError

    connection = site.connections(policy=Judge(stage, breaks))()
    connection.feed(LAST[stage])
    assert codes(connection.take())[-1] == 451
    assert logged_failures.pop().check(ZeroDivisionError)
    connection.drop()


@implementer(IMessageSink)
class Sink:
    id = "0abc"

    def __init__(self, intake):
        self.intake = intake

    def write(self, data):
        return self.intake.write(data)

    def finish(self):
        return self.intake.finish()

    def abort(self):
        self.intake.aborted += 1


@implementer(IIntake)
class FakeIntake:
    """Sinks that answer as told."""

    def __init__(self):
        self.aborted, self.written = 0, b""
        self.full: Deferred | None = None
        self.finished = Deferred()

    def begin(self, envelope):
        self.envelope = envelope
        return Sink(self)

    def write(self, data):
        self.written += data
        return self.full

    def finish(self):
        return self.finished


def test_a_full_sink_stops_the_reading(site):
    intake = FakeIntake()
    intake.full = Deferred()
    connection = site.connections(intake=intake)()
    connection.feed(b"HELO c\r\n" + MAIL + b"x" * 1000)
    for _ in range(5):
        connection.feed(b"y" * 20_000)
    assert len(intake.written) == 1000
    assert connection.transport.producerState == "paused"
    full, intake.full = intake.full, None
    full.callback(None)
    assert len(intake.written) == 101_000
    assert connection.transport.producerState == "producing"
    connection.drop()
    assert intake.aborted == 1


def test_who_leaves_in_the_middle_of_content_leaves_nothing(site):
    connection = site.connections()()
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE)
    connection.drop()
    assert site.messages("alice@a.test") == []


def test_who_leaves_after_the_end_of_content_does_not_take_it_back(site):
    intake = FakeIntake()
    connection = site.connections(intake=intake)()
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE + b".\r\n")
    connection.drop()
    assert intake.aborted == 0


def test_the_time_does_not_run_while_the_commit_does(site):
    intake = FakeIntake()
    connection = site.connections(intake=intake)()
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE + b".\r\n")
    connection.take()
    site.clock.advance(301)
    site.clock.advance(301)
    assert not connection.closed
    intake.finished.callback([reply(250, "2.0.0", "done")])
    assert connection.take() == b"250 2.0.0 done\r\n"
    connection.drop()


def test_content_may_have_a_timeout_of_its_own(site):
    connection = site.connections(content_timeout_seconds=30.0)()
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE)
    connection.take()
    site.clock.advance(31)
    assert connection.take().startswith(b"421 4.4.2")
    connection = site.connections(content_timeout_seconds=30.0)()
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE + b".\r\n")
    connection.take()
    site.clock.advance(31)
    assert not connection.closed
    connection.drop()


@pytest.mark.parametrize("service", [Service.SMTP, Service.LMTP])
def test_a_bug_at_the_end_of_content_is_answered_for_everyone(site, service, logged_failures):
    intake = FakeIntake()
    connection = site.connections(intake=intake, service=service)()
    connection.feed(
        (b"LHLO c\r\n" if service is Service.LMTP else b"HELO c\r\n") + MAIL[:-6] + b"RCPT TO:<bob@a.test>\r\nDATA\r\n"
    )
    connection.feed(MESSAGE + b".\r\n")
    connection.take()
    intake.finished.errback(ZeroDivisionError())
    assert codes(connection.take()) == [451] * (2 if service is Service.LMTP else 1)
    connection.feed(b"NOOP\r\n")
    assert codes(connection.take()) == [250]
    assert logged_failures.pop().check(ZeroDivisionError)
    connection.drop()


def test_a_bug_in_the_middle_of_content_ends_the_session(site, logged_failures):
    intake = FakeIntake()
    intake.full = fail(ZeroDivisionError())
    connection = site.connections(intake=intake)()

    def breaks(data):
        raise ZeroDivisionError

    intake.full.addErrback(lambda _: None)
    intake.write = breaks
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE)
    assert connection.take().splitlines()[-1].startswith(b"421 4.3.0")
    assert connection.closed
    connection.drop()
    assert logged_failures.pop().check(ZeroDivisionError)


def test_the_end_of_the_node_is_told(site):
    factory = site.factory()
    connections = site.connections()
    connections._build = lambda: factory.buildProtocol(None)
    idle, busy = connections(), connections()
    busy.feed(b"HELO c\r\n" + MAIL + b"half")
    for connection in (idle, busy):
        connection.take()
    assert factory.session_count == 2
    ended = factory.close_all()
    for connection in (idle, busy):
        assert connection.take() == b"421 4.3.2 service is going down\r\n"
        assert connection.transport.closed
    assert not ended.called
    late = connections()
    assert late.take() == b"421 4.3.2 service is going down\r\n"
    assert late.closed
    connections.drop_all()
    assert result_of(ended) is None
    assert factory.session_count == 0
    assert site.clock.getDelayedCalls() == []


def test_an_answer_that_is_being_thought_of_is_given_before_the_end(site):
    intake, factory = FakeIntake(), None
    factory = site.factory(intake=intake)
    connections = site.connections()
    connections._build = lambda: factory.buildProtocol(None)
    connection = connections()
    connection.feed(b"HELO c\r\n" + MAIL + MESSAGE + b".\r\n")
    connection.take()
    factory.close_all()
    assert not connection.closed
    intake.finished.callback([reply(250, "2.0.0", "done")])
    assert codes(connection.take()) == [250, 421]
    assert connection.closed
    connection.drop()


def test_a_login_does_not_survive_starttls(site):
    connection = site.connections(service=Service.SUBMISSION, auth="required", tls_context=object())()
    connection.feed(b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\nSTARTTLS\r\nMAIL FROM:<alice@a.test>\r\n")
    assert connection.take().endswith(b"235 2.7.0 authenticated\r\n220 2.0.0 ready to start TLS\r\n")
    connection.feed(b"EHLO c\r\nMAIL FROM:<alice@a.test>\r\n")
    assert codes(connection.take())[-1] == 530
    connection.drop()


def test_failed_logins_count_as_mistakes(site):
    connection = site.connections(service=Service.SUBMISSION, auth="optional", max_errors=3)()
    connection.feed(b"EHLO c\r\n" + b"AUTH PLAIN AGFsaWNlQGEudGVzdAB3cm9uZw==\r\n" * 3)
    assert codes(connection.take())[-3:] == [535, 535, 421]
    assert connection.closed


class Undecided:
    """A portal that answers when it is told to."""

    def __init__(self):
        self.answer = Deferred()
        self.checkers = {IUsernamePassword: self}

    def login(self, credentials, mind, *interfaces):
        return self.answer


def test_a_login_that_can_not_be_decided_is_temporary_and_no_mistake(site):
    portal = Undecided()
    connection = site.connections(portal=portal, service=Service.SUBMISSION, auth="required", max_errors=1)()
    connection.feed(b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\nNOOP\r\n")
    connection.take()
    portal.answer.errback(TemporaryFailure("database is away"))
    assert codes(connection.take()) == [454, 250]
    connection.drop()


def test_who_leaves_while_the_login_is_checked_is_forgotten(site):
    portal = Undecided()
    connection = site.connections(portal=portal, service=Service.SUBMISSION, auth="required")()
    connection.feed(b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\n")
    connection.take()
    connection.drop()
    assert portal.answer.called
    assert connection.take() == b""


def test_no_password_is_logged(site, logged):
    connection = site.connections(service=Service.SUBMISSION, auth="required")()
    connection.feed(b"EHLO c\r\nAUTH PLAIN AGFsaWNlQGEudGVzdAB3cm9uZw==\r\nAUTH LOGIN\r\n*\r\n")
    assert not any("wrong" in repr(event) or "AGFsaW" in repr(event) for event in logged)


def test_settings_that_can_not_be_are_refused(site):
    with pytest.raises(ValueError, match="imap"):
        SMTPSettings(hostname="x", service=Service.IMAP)
    with pytest.raises(ValueError, match="authenticator"):
        SMTPFactory(site.policy, site.intake, SMTPSettings(hostname="x", auth="required"), site.clock)
