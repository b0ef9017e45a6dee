"""Whatever the argument of a command is, its parser gives the command or a mistake with its reply."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.wire.smtp.commands import Command, Mail, Mistake, Rcpt, Verb
from twisted_mail_node.wire.smtp.grammar import PARSERS, VERBS
from twisted_mail_node.wire.smtp.offer import Extension, Offer
from twisted_mail_node.wire.smtp.states import OUT_OF_ORDER, TRANSITIONS, State

OFFERS = [Offer(), Offer(tls=True, mechanisms=("PLAIN",), extensions=frozenset(Extension), xclient=True, xforward=True)]
WORDS = [
    b"FROM:", b"TO:", b"<a@b>", b"<>", b"<", b">", b"@", b'"', b"\\", b"[", b"]", b"=", b"+", b";", b",", b"-", b" ",
    b"SIZE", b"BODY", b"BINARYMIME", b"SMTPUTF8", b"RET", b"FULL", b"ENVID", b"NOTIFY", b"NEVER", b"SUCCESS", b"ORCPT",
    b"rfc822", b"utf-8", b"\\x{FC}", b"REQUIRETLS", b"HOLDFOR", b"HOLDUNTIL", b"0000-00-00T00:00:00Z",
    b"9999-12-31T23:59:60Z", b"0001-01-01T00:00:00Z", b"BY", b"R", b"T", b"MT-PRIORITY", b"AUTH", b"0", b"99999999999",
    b"LAST", b"ADDR", b"IPV6:", b"::1", b"NAME", b"LOGIN", b"[UNAVAILABLE]", b"PLAIN", b"\xc3\xbc", b"\xff", b"x" * 300,
]  # fmt: skip
arguments = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=3)), max_size=12).map(b"".join)


@pytest.mark.parametrize("verb", PARSERS, ids=lambda verb: verb.name)
@given(arguments, st.sampled_from(OFFERS))
def test_any_argument_gives_a_command_or_a_mistake(verb: Verb, argument: bytes, offer: Offer) -> None:
    said = PARSERS[verb](argument, offer)
    assert isinstance(said, get_args(Command)) or (isinstance(said, Mistake) and said.reply.code >= 500)
    if not offer.extensions and isinstance(said, Mail | Rcpt):
        assert argument.isascii()


def test_each_command_may_come_somewhere_and_its_refusals_elsewhere_are_known() -> None:
    assert set(VERBS.values()) == set(PARSERS)
    reachable = {verb for _, verb in TRANSITIONS}
    assert set(PARSERS) <= reachable
    assert not set(OUT_OF_ORDER) & set(TRANSITIONS)
    assert {state for state, _ in TRANSITIONS} >= set(State) - {State.CLOSED, State.AUTHENTICATING, State.CHUNK}
