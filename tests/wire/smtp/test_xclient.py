"""What XCLIENT and XFORWARD may tell. Sources: Postfix's XCLIENT_README and XFORWARD_README."""

from __future__ import annotations

import pytest

from twisted_mail_node.wire.smtp.commands import Attribute, Mistake, XClient, XForward
from twisted_mail_node.wire.smtp.commands.xclient import parse_xclient, parse_xforward
from twisted_mail_node.wire.smtp.offer import Offer

A = Attribute
OFFER = Offer(mechanisms=("PLAIN",))


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        (
            b"NAME=spike.porcupine.org ADDR=168.100.189.2",
            ((A.NAME, "spike.porcupine.org"), (A.ADDRESS, "168.100.189.2")),
        ),
        (b"addr=IPV6:2001:DB8:0::1 port=25", ((A.ADDRESS, "2001:db8::1"), (A.PORT, "25"))),
        (b"ADDR=IPv6:::ffff:192.0.2.1", ((A.ADDRESS, "192.0.2.1"),)),
        (b"ADDR=2001:db8::2", ((A.ADDRESS, "2001:db8::2"),)),
        (b"PROTO=esmtp  HELO=[192.0.2.1]", ((A.PROTOCOL, "ESMTP"), (A.HELLO, "[192.0.2.1]"))),
        (b"LOGIN=ann+40a.test", ((A.LOGIN, "ann@a.test"),)),
        (b"NAME=[UNAVAILABLE] ADDR=[unavailable] LOGIN=[TEMPUNAVAIL]", ((A.NAME, ""), (A.ADDRESS, ""), (A.LOGIN, ""))),
    ],
)
def test_xclient_tells(argument: bytes, told: tuple) -> None:
    assert parse_xclient(argument, OFFER) == XClient(told)


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        (
            b"NAME=spike.porcupine.org ADDR=168.100.189.2 PROTO=ESMTP",
            ((A.NAME, "spike.porcupine.org"), (A.ADDRESS, "168.100.189.2"), (A.PROTOCOL, "ESMTP")),
        ),
        (b"IDENT=3CF6B2AAE8 SOURCE=remote", ((A.IDENTIFIER, "3CF6B2AAE8"), (A.SOURCE, "REMOTE"))),
        (b"ADDR=X.400 PROTO=UUCP PORT=0", ((A.ADDRESS, "X.400"), (A.PROTOCOL, "UUCP"), (A.PORT, "0"))),
        (b"HELO=a+2Bb", ((A.HELLO, "a+b"),)),
    ],
)
def test_xforward_tells(argument: bytes, told: tuple) -> None:
    assert parse_xforward(argument, Offer()) == XForward(told)


BAD = [
    b"", b" ", b"NAME", b"NAME=", b"=x", b"WHAT=x", b"NAME=a NAME=b", b"PORT=x", b"PORT=65536", b"PORT=-1",
    b"NAME=" + b"x" * 256, b"HELO=a+20b", b"HELO=a+0Ab", b"NAME=a+3Cb", b"NAME=a+28b", b"NAME=a+", b"NAME=\xff",
]  # fmt: skip


@pytest.mark.parametrize("parse", [parse_xclient, parse_xforward])
@pytest.mark.parametrize("argument", BAD)
def test_what_is_out_of_shape(parse, argument: bytes) -> None:
    said = parse(argument, Offer())
    assert isinstance(said, Mistake)
    assert said.reply.code == 501


@pytest.mark.parametrize(
    "argument",
    [
        b"ADDR=here",
        b"ADDR=300.0.0.1",
        b"ADDR=fe80::1+25eth0",
        b"PROTO=LMTP",
        b"IDENT=x",
        b"IDENT=[UNAVAILABLE]",
        b"SOURCE=LOCAL",
        b"LOGIN=" + b"x" * 256,
    ],
)
def test_what_xclient_cannot_tell(argument: bytes) -> None:
    assert isinstance(parse_xclient(argument, OFFER), Mistake)


def test_xclient_tells_of_logins_where_there_are_any() -> None:
    assert isinstance(parse_xclient(b"LOGIN=ann", Offer(auth_needs_tls=True)), XClient)
    assert isinstance(parse_xclient(b"LOGIN=ann", Offer()), Mistake)
    assert isinstance(parse_xclient(b"LOGIN=[UNAVAILABLE]", Offer()), Mistake)


@pytest.mark.parametrize("argument", [b"LOGIN=ann", b"SOURCE=HERE", b"PROTO=" + b"x" * 65])
def test_what_xforward_cannot_tell(argument: bytes) -> None:
    assert isinstance(parse_xforward(argument, Offer()), Mistake)
