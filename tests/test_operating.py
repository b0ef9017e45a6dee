"""What the papers tell in figures and lists, docs/operating.md before all, held to what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from twisted_mail_node.auth import app_passwords, passwd_file, throttle
from twisted_mail_node.auth.oauth import keys, web
from twisted_mail_node.mail.report import TOLD_TOGETHER
from twisted_mail_node.node import proxied
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.config.values import Seconds, Size
from twisted_mail_node.node.control.app_passwords import MOST_OF_ONE_USER
from twisted_mail_node.node.tls import contexts, expiry, handshakes, renewal
from twisted_mail_node.protocols.pop3.capabilities import _ALWAYS
from twisted_mail_node.protocols.smtp import patience
from twisted_mail_node.protocols.smtp.settings import EXTENSIONS
from twisted_mail_node.queue.reports.returned import WHOLE_OCTETS
from twisted_mail_node.wire.mime import downgrading, headers
from twisted_mail_node.wire.sasl.mechanisms import MECHANISMS
from twisted_mail_node.wire.smtp.extensions import hello_reply
from twisted_mail_node.wire.smtp.offer import Offer

from .protocols.smtp.test_transaction_log import FIELDS

ROOT = Path(__file__).parent.parent
WORDS = {1: "a", 3: "three", 10: "ten"}
KIB, MINUTE, HOUR, DAY = 1024, 60, 3600, 86_400


def text(paper):
    """The paper with its lines joined; a comment keeps its signs."""
    return " ".join((ROOT / paper).read_text().split())


def rows(head):
    """The cells of the rows below the one that begins so, in a table of docs/operating.md."""
    table = (ROOT / "docs" / "operating.md").read_text().partition(f"\n| {head} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


OPERATING, POP3, OTHERS, SAMPLE = (
    "docs/operating.md",
    "docs/adr/0027-what-pop3-gives-of-other-mail.md",
    "docs/adr/0033-what-other-servers-say-of-users.md",
    "etc/mailnode.toml",
)


@pytest.mark.parametrize(
    ("paper", "told"),
    [
        (OPERATING, f"A header takes {proxied.HEADER_SECONDS:.0f} s at the most"),
        (OPERATING, f"noticed some {renewal.LOOK_SECONDS:.0f} s after they were written"),
        (OPERATING, "told in the log {}, {} and {} days before".format(*expiry.WARNING_DAYS)),
        (OPERATING, f"resumed by tickets for {contexts.TICKET_SECONDS / HOUR:.0f} h"),
        (OPERATING, f"renewed every {renewal.TICKET_KEY_SECONDS / HOUR:.0f} h"),
        (OPERATING, f"has not shaken hands after {handshakes.HANDSHAKE_SECONDS:.0f} s is left"),
        (OPERATING, f"`list` when it was used last, to {WORDS[app_passwords.NOTED_EVERY_SECONDS / DAY]} day"),
        (OPERATING, f"A user has {MOST_OF_ONE_USER} at most"),
        (OPERATING, f"A change is seen within {WORDS[passwd_file.LOOK_EVERY_SECONDS]} second"),
        (OPERATING, f"again after {WORDS[keys.FRESH_SECONDS / HOUR]}n hour"),
        (OPERATING, f"After {WORDS[throttle.FREE_HOST_FAILURES]} failed logins from an address"),
        (OPERATING, f"or {WORDS[throttle.FREE_ACCOUNT_FAILURES]} to an account"),
        (OPERATING, f"{WORDS[throttle.FIRST_DELAY_SECONDS]} second at first"),
        (OPERATING, f"and {throttle.LONGEST_DELAY_SECONDS:.0f} at most"),
        (OPERATING, f"wait for more than {throttle.LONGEST_QUEUE_SECONDS:.0f} seconds is sent away"),
        (OPERATING, f"by half in {WORDS[throttle.HALF_LIFE_SECONDS / MINUTE]} minutes"),
        (OPERATING, f"the message, up to {WHOLE_OCTETS // KIB} KiB of it"),
        (OPERATING, f"One report tells of up to {TOLD_TOGETHER} recipients"),
        (POP3, f"Of all headers of a message {downgrading.DOWNGRADED_OCTETS // KIB} KiB beyond ASCII are read"),
        (POP3, f"A header of more than {headers.HEADER_LIMIT_OCTETS // KIB} KiB"),
        (OTHERS, f"{web.MAX_OCTETS // KIB} KiB and a timeout for each answer"),
        (OTHERS, f"fetched again once {WORDS[keys.PATIENCE_SECONDS / MINUTE]} minute at most"),
        (SAMPLE, f"the next by twice that, up to {patience.LONGEST_DELAY_SECONDS:.0f} s"),
    ],
)
def test_a_figure_is_the_one_that_holds(paper, told):
    assert told in text(paper)


def quantities(cell):
    """What stands in the column of defaults, as settings have it: durations in seconds, sizes in octets."""
    units = {"any number": 0, "day": DAY, "minute": MINUTE}
    return {units[one] if one in units else quantity(one) for one in re.split(r", | a ", cell)}


def quantity(told):
    try:
        return TypeAdapter(Seconds).validate_python(told)
    except ValidationError:
        return TypeAdapter(Size).validate_python(told)


@pytest.mark.parametrize(("settings", "told"), [row[1:3] for row in rows("what | setting")])
def test_a_limit_is_told_with_its_default(settings, told):
    first, *others = named(settings)
    table, name = first.split(".")
    chosen = getattr(parse_config({}), table)
    assert quantities(told) == {getattr(chosen, setting.rpartition(".")[2]) for setting in (name, *others)}


def test_each_keyword_of_ehlo_is_told():
    offer = Offer(
        starttls=True,
        tls=True,
        mechanisms=("PLAIN",),
        extensions=EXTENSIONS,
        limits=(("MAILMAX", 1),),
        expand=True,
        xclient=True,
        xforward=True,
    )
    _, *lines = hello_reply("mx.test", offer).lines
    told = [keyword for row in rows("what EHLO says") for keyword in row[0].split(", ")]
    assert sorted(told) == sorted(line.partition(" ")[0] for line in lines)


def test_what_capa_always_tells_is_told():
    assert f"CAPA tells what a client may use: {', '.join(_ALWAYS)}, EXPIRE NEVER (" in text(OPERATING)


def test_each_field_of_a_transactions_event_is_told():
    assert sorted(name for row in rows("field") for name in named(row[0])) == sorted(FIELDS)


def test_each_mechanism_is_told():
    assert sorted(name for row in rows("mechanism") for name in named(row[0])) == sorted(MECHANISMS)
