"""A message on its way in: limits, refusals, the commit, the replies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.intake import Intake, IntakeSettings, TransactionIds
from twisted_mail_node.interfaces.intake import IIntake, IMessageSink
from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS
from twisted_mail_node.mail.envelope import Client, Envelope, Peer, Recipient, Service, Target
from twisted_mail_node.mail.errors import PermanentFailure, Refused, TemporaryFailure, Unavailable
from twisted_mail_node.mail.options import MailOptions, Notify, RecipientOptions, Return
from twisted_mail_node.mail.report import Action
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.transaction import Body, Committed
from twisted_mail_node.testing.deferreds import result_of

GONE = (EnhancedStatus(5, 1, 1), "gone")


class Writer:
    def __init__(self, store):
        self.store, self.pieces, self.aborted = store, [], False

    def write(self, data):
        self.pieces.append(data)
        return self.store.writes.pop(0) if self.store.writes else succeed(None)

    def finish(self, header_size, eight_bit):
        self.header_size, self.eight_bit = header_size, eight_bit
        return succeed(Body(sum(map(len, self.pieces)), header_size, None, "staged", eight_bit))

    def abort(self):
        self.aborted = True


class Store:
    """Keeps transactions; answers what it was told to."""

    def __init__(self):
        self.transactions, self.answers, self.writes, self.writers = [], [], [], []

    def deliver(self, transaction):
        self.transactions.append(transaction)
        return self.answers.pop(0) if self.answers else succeed(Committed((), ()))

    def stage_body(self):
        self.writers.append(Writer(self))
        return self.writers[-1]


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def reports():
    return []


@pytest.fixture
def begin(store, reports):
    def make_report(*arguments):
        reports.append(arguments)
        return Body(1, 1, b"b")

    clock = Clock()
    ids = TransactionIds(clock, lambda count: b"\x07" * count)
    settings = IntakeSettings(hostname="mx.a.test", max_size=1_000_000, max_hops=3, max_held=430_000)
    intake = Intake(
        store, clock, ids, make_report, settings, resolve=lambda sender: succeed(Recipient(sender, (), (sender,)))
    )
    assert verifyObject(IIntake, intake)

    def begin(*accounts, service=Service.SMTP, account=None, notify=None, ret=None, sender="s@c.test"):
        client = Client(Peer("192.0.2.1"), service, "c.test", True, account)
        recipients = [
            Recipient(Address.parse(name), (Target(name),))
            if name.endswith("@a.test")
            else Recipient(Address.parse(name), (), (Address.parse(name),))
            for name in accounts or ("alice@a.test",)
        ]
        options = RecipientOptions(notify=notify)
        envelope = Envelope(
            client,
            Address.parse(sender) if sender else None,
            tuple(replace(recipient, options=options) for recipient in recipients),
            options=MailOptions(ret=ret),
        )
        sink = intake.begin(envelope)
        assert verifyObject(IMessageSink, sink)
        return sink

    return begin


ID = "0000000000000707070707"
ACCEPTED = f"250 2.0.0 queued as {ID}"


def told(sink) -> list[str]:
    return [str(reply) for reply in result_of(sink.finish())]


def test_a_small_message_is_committed_whole_with_its_trace(store, begin):
    sink = begin()
    assert sink.write(b"Subject: x\r\n") is None
    assert sink.write(b"\r\nb\xc3\xb6dy\r\n") is None
    assert told(sink) == [ACCEPTED]
    [transaction] = store.transactions
    [body] = transaction.bodies
    assert transaction.id == ID
    assert body.content.startswith(
        b"Received: from c.test ([192.0.2.1])\r\n\tby mx.a.test with ESMTP id " + ID.encode()
    )
    assert body.content.endswith(b"Subject: x\r\n\r\nb\xc3\xb6dy\r\n")
    assert body.content[: body.header_size].endswith(b"Subject: x\r\n\r\n")
    assert body.size == len(body.content)
    assert body.eight_bit
    assert body.envelope is not None
    [placement] = transaction.placements
    assert placement.account == "alice@a.test"
    assert placement.prefix == b"Return-Path: <s@c.test>\r\nDelivered-To: alice@a.test\r\n"


def test_a_message_without_an_empty_line_is_all_header(store, begin):
    sink = begin()
    sink.write(b"Subject: x\r\n")
    assert told(sink) == [ACCEPTED]
    body = store.transactions[0].bodies[0]
    assert body.header_size == body.size
    assert not body.eight_bit


def test_an_empty_message_is_a_message(store, begin):
    assert told(begin()) == [ACCEPTED]


def test_submission_gets_date_and_message_id_behind_the_trace(store, begin):
    sink = begin(account="s@c.test")
    sink.write(b"Subject: x\r\n\r\n")
    assert told(sink) == [ACCEPTED]
    body = store.transactions[0].bodies[0]
    assert b"+0000\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\nMessage-ID: <" + ID.encode() in body.content
    assert body.header_size == body.size


def test_one_octet_over_the_limit_is_too_big(store, begin):
    for extra, answer in ((0, ACCEPTED), (1, "552 5.3.4 message too big")):
        sink = begin()
        sink.write(b"A: b\r\n\r\n")
        sink.write(b"x" * (1_000_000 - 8 + extra))
        sink.write(b"")
        assert told(sink) == [answer]
    assert len(store.transactions) == 1
    assert store.writers[1:] == [] or store.writers[1].aborted


def test_a_large_message_is_staged_in_pieces_with_backpressure(store, begin):
    sink, waiting = begin(), Deferred()
    store.writes.append(waiting)
    assert sink.write(b"A: b\r\n\r\n" + b"x" * (INLINE_BODY_OCTETS - 8)) is None
    assert store.writers == []
    asked = sink.write(b"y")
    assert asked is not None
    assert not asked.called
    waiting.callback(None)
    assert asked.called
    assert sink.write(b"z" * 10) is None
    assert sink.write(b"\xff" * 70_000) is None
    assert sink.write(b"end") is None
    assert told(sink) == [ACCEPTED]
    [writer] = store.writers
    content = b"".join(writer.pieces)
    assert content.endswith(b"x" + b"y" + b"z" * 10 + b"\xff" * 70_000 + b"end")
    assert content[: writer.header_size].endswith(b"A: b\r\n\r\n")
    assert writer.eight_bit
    assert len(writer.pieces) == 3
    assert store.transactions[0].bodies[0].staged == "staged"
    assert store.transactions[0].bodies[0].envelope is not None


def test_octets_one_by_one_are_the_same_message(store, begin):
    sink = begin()
    for octet in b"A: b\r\n\r\nbody\r\n":
        sink.write(bytes([octet]))
    assert told(sink) == [ACCEPTED]
    assert store.transactions[0].bodies[0].content.endswith(b"A: b\r\n\r\nbody\r\n")


def test_a_header_that_does_not_end_is_refused(store, begin):
    sink = begin()
    sink.write(b"A: " + b"b" * INLINE_BODY_OCTETS)
    sink.write(b"more")
    assert told(sink) == ["554 5.6.0 header too big"]
    assert store.writers == []


@pytest.mark.parametrize("padding", [b"", b"x" * INLINE_BODY_OCTETS])
def test_too_many_hops_are_a_loop(store, begin, padding):
    for hops, accepted in ((3, True), (4, False)):
        sink = begin()
        sink.write(b"Received: x\r\n" * hops + b"\r\n" + padding)
        [answer] = told(sink)
        assert answer.startswith("250 2.0.0" if accepted else "554 5.4.6")
    assert len(store.transactions) == 1


def test_a_recipient_who_had_the_message_before_is_a_loop(store, begin, reports):
    content = b"Delivered-To: alice@a.test\r\nReceived: by mx.a.test with LMTP; today\r\n\r\n"
    sink = begin()
    sink.write(content)
    assert told(sink) == ["554 5.4.6 mail is going round in circles"]
    assert store.transactions == []
    sink = begin("alice@a.test", "bob@a.test")
    sink.write(content)
    assert told(sink) == [ACCEPTED]
    assert len(reports) == 1
    assert [placement.account for placement in store.transactions[0].placements] == ["bob@a.test"]


def test_what_an_author_sends_anew_may_have_been_here_before(store, begin):
    for options in ({"service": Service.SUBMISSION}, {"account": "bob@a.test"}):
        sink = begin(**options)
        sink.write(b"Delivered-To: alice@a.test\r\nReceived: by mx.a.test for <alice@a.test>; today\r\n\r\n")
        assert told(sink) == [ACCEPTED]


def test_a_forward_that_comes_back_is_stopped_the_second_time(store, begin):
    sink = begin("team@a.test")
    sink.write(b"Subject: x\r\n\r\n")
    assert told(sink) == [ACCEPTED]
    again = begin("team@a.test")
    again.write(b"Received: from mx.a.test by far.test; today\r\n" + store.transactions[0].bodies[0].content)
    assert told(again) == ["554 5.4.6 mail is going round in circles"]


def test_many_slow_messages_together_are_staged_earlier(store, begin):
    piece = b"A: b\r\n\r\n" + b"x" * 70_000
    sinks = [begin() for _ in range(8)]
    for sink in sinks:
        sink.write(piece)
    assert len(store.writers) == 2
    sinks[0].abort()
    begin().write(piece)
    assert len(store.writers) == 2
    headless = begin()
    headless.write(b"x" * 70_000)
    assert len(store.writers) == 2
    assert told(headless) == [ACCEPTED]
    assert all(told(sink) == [ACCEPTED] for sink in sinks[1:])


def test_the_envelope_of_a_very_long_header_is_left_for_later(store, begin):
    for size, kept in ((10_000, True), (20_000, False)):
        sink = begin()
        sink.write(b"To: " + b"(" * size + b"\r\n\r\n")
        assert told(sink) == [ACCEPTED]
        assert (store.transactions[-1].bodies[0].envelope is not None) is kept


def test_who_leaves_while_a_piece_is_being_staged_leaves_without_a_failure(store, begin):
    staging = Deferred()
    store.writes.append(staging)
    sink = begin()
    written = sink.write(b"A: b\r\n\r\n" + b"x" * INLINE_BODY_OCTETS)
    written.cancel()
    sink.abort()
    assert store.writers[0].aborted


@pytest.mark.parametrize(
    ("status", "reply"),
    [((4, 2, 2), "452 4.2.2 full"), ((5, 2, 2), "552 5.2.2 full"), ((4, 3, 0), "450 4.3.0 full")],
)
@pytest.mark.parametrize("service", [Service.SMTP, Service.LMTP])
def test_a_mailbox_that_is_full_is_told_by_the_code_for_that(store, begin, status, reply, service):
    store.answers.append(fail(Refused({0: (EnhancedStatus(*status), "full")})))
    assert told(begin("alice@a.test", service=service)) == [reply]


def test_who_vanished_before_the_commit_is_left_out_and_the_sender_told(store, begin, reports):
    store.answers.append(fail(Refused({0: GONE})))
    sink = begin("alice@a.test", "bob@a.test", "carol@c.test")
    sink.write(b"Subject: x\r\n\r\n")
    assert told(sink) == [ACCEPTED]
    first, second = store.transactions
    assert [placement.account for placement in second.placements] == ["bob@a.test"]
    assert len(second.bodies) == 2
    assert [str(outgoing.recipient) for outgoing in second.queue] == ["carol@c.test", "s@c.test"]
    assert first.id == second.id
    [(reported, told_of, _)] = reports
    assert str(reported.sender) == "s@c.test"
    assert [(str(one.recipient), one.action, one.reply) for one in told_of] == [("alice@a.test", Action.FAILED, "gone")]
    assert reported.header.startswith(b"Received: from c.test")
    assert reported.header.endswith(b"Subject: x\r\n\r\n")
    assert second.queue[1].recipient_options.notify is Notify.NEVER


def test_success_in_mailboxes_is_told_in_the_same_commit(store, begin, reports):
    """RFC 3461 §5.2.3."""
    sink = begin("alice@a.test", "carol@c.test", notify=Notify.SUCCESS)
    sink.write(b"Subject: x\r\n\r\n")
    assert told(sink) == [ACCEPTED]
    [transaction] = store.transactions
    [(_, told_of, _)] = reports
    assert [(str(one.recipient), one.action) for one in told_of] == [("alice@a.test", Action.DELIVERED)]
    assert [(str(one.recipient), one.sender, one.body) for one in transaction.queue[1:]] == [("s@c.test", None, 1)]


@pytest.mark.parametrize("options", [{"notify": Notify.FAILURE}, {"notify": Notify.SUCCESS, "sender": None}])
def test_success_is_told_only_to_who_asked(store, begin, reports, options):
    assert told(begin(**options)) == [ACCEPTED]
    assert reports == []


def test_success_behind_a_queue_is_told_by_the_queue(store, begin, reports):
    sink = begin(notify=Notify.SUCCESS)
    sink._intake.places_at_once = False
    assert told(sink) == [ACCEPTED]
    assert reports == []
    assert store.transactions[0].placements[0].recipient_options.wants_success


def test_success_of_who_vanished_before_the_commit_is_not_told(store, begin, reports):
    store.answers.append(fail(Refused({0: GONE})))
    assert told(begin("alice@a.test", "bob@a.test", notify=Notify.SUCCESS | Notify.FAILURE)) == [ACCEPTED]
    assert [[(str(one.recipient), one.action.value) for one in told_of] for _, told_of, _ in reports] == [
        [("alice@a.test", "delivered"), ("bob@a.test", "delivered")],
        [("alice@a.test", "failed"), ("bob@a.test", "delivered")],
    ]
    assert len(store.transactions[1].bodies) == 2


@pytest.mark.parametrize("notify", [Notify.NEVER, Notify.DELAY])
def test_a_failure_is_not_told_to_who_does_not_want_to_know(store, begin, reports, notify):
    store.answers.append(fail(Refused({0: GONE})))
    assert told(begin("alice@a.test", "bob@a.test", notify=notify)) == [ACCEPTED]
    assert reports == []


def test_a_senders_mailbox_that_vanished_is_looked_for_again(store, begin, reports):
    store.answers.append(fail(Refused({1: GONE})))
    sink = begin(notify=Notify.SUCCESS)
    leads = iter([Recipient(Address("s", "a.test"), (Target("s@a.test"),)), Recipient(Address("s", "a.test"), (), ())])
    sink._intake.resolve = lambda sender: succeed(next(leads))
    assert told(sink) == [ACCEPTED]
    assert [placement.account for placement in store.transactions[1].placements] == ["alice@a.test"]


def test_lmtp_tells_success_by_reports_and_failure_by_replies(store, begin, reports):
    store.answers.append(fail(Refused({1: GONE})))
    sink = begin("alice@a.test", "bob@a.test", service=Service.LMTP, notify=Notify.SUCCESS | Notify.FAILURE)
    assert told(sink) == [ACCEPTED, "550 5.1.1 gone"]
    assert [str(one.recipient) for one in reports[-1][1]] == ["alice@a.test"]


@pytest.mark.parametrize(("size", "is_whole"), [(10, True), (INLINE_BODY_OCTETS, False)])
def test_a_report_may_give_back_what_is_at_hand(store, begin, reports, size, is_whole):
    sink = begin(notify=Notify.SUCCESS, ret=Return.FULL)
    sink.write(b"Subject: x\r\n\r\n" + b"y" * size)
    assert told(sink) == [ACCEPTED]
    [(reported, _, _)] = reports
    assert reported.content.endswith(b"y" * 10) is is_whole
    assert reported.header.endswith(b"Subject: x\r\n\r\n")


def test_many_recipients_are_told_of_in_several_reports(store, begin, reports):
    assert told(begin(*(f"r{number}@a.test" for number in range(51)), notify=Notify.SUCCESS)) == [ACCEPTED]
    assert [len(told_of) for _, told_of, _ in reports] == [50, 1]
    assert len(store.transactions[0].bodies) == 3


def test_the_report_goes_to_a_mailbox_where_the_sender_is_at_home(store, begin, reports):
    store.answers.append(fail(Refused({0: GONE})))
    sink = begin("alice@a.test", "bob@a.test")
    sink._intake.resolve = lambda sender: succeed(Recipient(sender, (Target("carol@a.test"),)))
    assert told(sink) == [ACCEPTED]
    assert [placement.account for placement in store.transactions[1].placements] == ["bob@a.test", "carol@a.test"]
    assert store.transactions[1].queue == ()


def test_a_sender_who_can_not_be_told_is_not(store, begin, reports):
    store.answers.append(fail(Refused({0: GONE})))
    sink = begin("alice@a.test", "bob@a.test")
    sink._intake.resolve = lambda sender: fail(PermanentFailure("nobody there"))
    assert told(sink) == [ACCEPTED]
    assert len(store.transactions[1].bodies) == 1
    assert reports == []


def test_a_sender_who_can_not_be_looked_up_now_makes_it_temporary(store, begin):
    store.answers.append(fail(Refused({0: GONE})))
    sink = begin("alice@a.test", "bob@a.test")
    sink._intake.resolve = lambda sender: fail(TemporaryFailure("later"))
    assert told(sink) == ["451 4.3.0 later"]
    assert len(store.transactions) == 1


def test_a_sender_whose_own_mailbox_is_full_is_not_told_and_the_others_get_it(store, begin, reports):
    full = (EnhancedStatus(4, 2, 2), "full")
    store.answers += [fail(Refused({0: full})), fail(Refused({1: full}))]
    sink = begin("alice@a.test", "bob@a.test", sender="s@a.test")
    sink._intake.resolve = lambda sender: succeed(Recipient(sender, (Target("s@a.test"),)))
    assert told(sink) == [ACCEPTED]
    accounts = [[placement.account for placement in transaction.placements] for transaction in store.transactions]
    assert accounts == [["alice@a.test", "bob@a.test"], ["bob@a.test", "s@a.test"], ["bob@a.test"]]
    assert len(store.transactions[-1].bodies) == 1


def test_nobody_left_is_a_refusal(store, begin, reports):
    store.answers.append(fail(Refused({0: GONE})))
    assert told(begin()) == ["550 5.1.1 gone"]
    assert reports == []


def test_a_second_refusal_is_temporary(store, begin):
    store.answers += [fail(Refused({0: GONE})), fail(Refused({0: GONE}))]
    [answer] = told(begin("alice@a.test", "bob@a.test"))
    assert answer.startswith("451 4.3.0")


def test_lmtp_tells_each_recipient_for_itself(store, begin, reports):
    store.answers.append(fail(Refused({1: GONE})))
    sink = begin("alice@a.test", "bob@a.test", "alice@a.test", service=Service.LMTP)
    assert told(sink) == [ACCEPTED, "550 5.1.1 gone", ACCEPTED]
    assert reports == []
    store.answers.append(fail(Refused({0: GONE, 1: GONE})))
    assert told(begin("alice@a.test", "bob@a.test", service=Service.LMTP)) == ["550 5.1.1 gone"] * 2
    sink = begin("alice@a.test", "bob@a.test", service=Service.LMTP)
    sink.write(b"x" * 1_000_001)
    assert told(sink) == ["552 5.3.4 message too big"] * 2


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (TemporaryFailure("disk full", EnhancedStatus(4, 3, 1)), "452 4.3.1 disk full"),
        (Unavailable("stopping"), "451 4.3.0 stopping"),
    ],
)
def test_a_store_that_fails_is_a_temporary_refusal(store, begin, error, answer):
    store.answers.append(fail(error))
    assert told(begin()) == [answer]


def test_a_bug_in_the_store_is_logged_and_temporary(store, begin, logged_failures):
    store.answers.append(fail(ZeroDivisionError()))
    [answer] = told(begin())
    assert answer.startswith("451 4.3.0")
    assert logged_failures.pop().check(ZeroDivisionError)


def test_a_failure_while_staging_is_told_at_the_end(store, begin):
    sink = begin()
    store.writes.append(fail(TemporaryFailure("disk full", EnhancedStatus(4, 3, 1))))
    asked = sink.write(b"A: b\r\n\r\n" + b"x" * INLINE_BODY_OCTETS)
    assert result_of(asked) is None
    assert sink.write(b"more") is None
    assert told(sink) == ["452 4.3.1 disk full"]
    assert store.writers[0].aborted
    assert store.transactions == []


def test_an_abort_forgets_what_was_staged(store, begin):
    sink = begin()
    sink.write(b"A: b\r\n\r\n" + b"x" * INLINE_BODY_OCTETS)
    sink.abort()
    sink.abort()
    assert store.writers[0].aborted
    assert store.transactions == []


def test_cancelling_gives_up_the_answer_but_not_the_commit(store, begin):
    committing = Deferred()
    store.answers.append(committing)
    answered = begin().finish()
    answered.cancel()
    with pytest.raises(CancelledError):
        result_of(answered)
    assert not committing.called
    committing.callback(Committed((), ()))


def test_an_envelope_that_can_not_be_made_is_no_reason_to_refuse(store, begin, logged_failures):
    sink = begin()

    def breaks(header):
        raise ZeroDivisionError

    sink._intake.envelope_of = breaks
    assert told(sink) == [ACCEPTED]
    assert store.transactions[0].bodies[0].envelope is None
    assert logged_failures.pop().check(ZeroDivisionError)
