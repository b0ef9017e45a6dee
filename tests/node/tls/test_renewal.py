"""New files are read while the node runs, once they fit together; until then what was read before serves."""

import os

import pytest
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.node.tls import Renewal, ServerTLS
from twisted_mail_node.node.tls.renewal import LOOK_SECONDS, TICKET_KEY_SECONDS
from twisted_mail_node.testing.certificates import issue

from .conversation import settings, written


class Life:
    """A certificate that is looked after, and what is said about it."""

    def __init__(self, folder, days=60):
        self.folder = folder
        self.clock = Clock()
        self.tls = ServerTLS(self.clock)
        issued = issue("mx.a.test", days=days)
        self.clock.advance(issued.certificate.not_valid_after_utc.timestamp() - days * 86400)
        self.files = written(folder, "a", issued)
        self.tls.load(settings(self.files))
        self.renewal = Renewal(self.clock, self.tls)
        self.said = []

    @property
    def shown(self):
        return self.tls.pairs[0].chain[0]

    def look(self, times=1):
        for _ in range(times):
            self.clock.advance(LOOK_SECONDS)

    def write(self, which, content):
        """As renewals do it: a new file in the place of the old."""
        path = self.files[which]
        (self.folder / "new").write_bytes(content)
        os.replace(self.folder / "new", path)

    def observe(self, event):
        if event.get("log_namespace", "").startswith("twisted_mail_node.node.tls"):
            self.said.append(event["log_format"].format(**event))


@pytest.fixture
def life(tmp_path):
    life = Life(tmp_path)
    globalLogPublisher.addObserver(life.observe)
    life.renewal.start()
    yield life
    life.renewal.stop()
    globalLogPublisher.removeObserver(life.observe)
    assert not life.clock.getDelayedCalls()


def test_new_files_are_read_without_a_word_from_anybody(life):
    renewed = issue("mx.a.test", days=90)
    life.write("private_key", renewed.key_pem)
    life.write("certificate", renewed.pem)
    life.look(2)
    assert life.shown == renewed.certificate
    until = f"{renewed.certificate.not_valid_after_utc:%Y-%m-%d}"
    path = life.files["certificate"]
    assert life.said == [f"the certificate {path} was read again: ECDSA, for mx.a.test, until {until}"]


def test_what_has_not_changed_is_not_read(life, monkeypatch):
    monkeypatch.setattr(life.tls, "reload", lambda: pytest.fail("was read"))
    life.look(5)


def test_half_a_renewal_is_told_once_and_the_old_pair_serves_until_the_other_half_is_there(life):
    before, renewed = life.shown, issue("mx.a.test", days=90)
    life.write("certificate", renewed.pem)
    life.look(20)
    assert life.shown == before
    certificate, key = life.files.values()
    why = f"the private key {key} does not belong to the certificate {certificate}"
    assert life.said == [f"{why}; the certificates read before stay in use"]
    life.write("private_key", renewed.key_pem)
    life.look(2)
    assert life.shown == renewed.certificate
    assert len(life.said) == 2


def test_files_that_still_change_are_left_alone(life):
    life.write("certificate", b"a")
    life.look()
    life.write("certificate", b"ab")
    life.look()
    assert life.said == []
    life.look()
    assert len(life.said) == 1


def test_a_file_that_is_gone_for_a_while_is_told_and_read_when_it_is_back(life):
    content = life.files["certificate"].read_bytes()
    life.files["certificate"].unlink()
    life.look(2)
    life.write("certificate", content)
    life.look(2)
    assert [sentence.rpartition(": ")[2][:20] for sentence in life.said] == [
        "no such file or dire",
        "ECDSA, for mx.a.test",
    ]


def test_the_operator_gets_it_at_once_or_is_told_why_not(life):
    renewed = issue("mx.a.test", days=90)
    life.write("certificate", renewed.pem)
    with pytest.raises(CannotStart):
        life.renewal.reload()
    life.write("private_key", renewed.key_pem)
    life.renewal.reload()
    assert life.shown == renewed.certificate
    life.look(3)
    assert len(life.said) == 1


def test_keys_of_tickets_are_renewed_now_and_then(life):
    contexts = life.tls.contexts
    life.look(int(TICKET_KEY_SECONDS // LOOK_SECONDS) - 1)
    assert life.tls.contexts is contexts
    life.look()
    assert life.tls.contexts is not contexts
    assert life.tls.contexts.pairs == contexts.pairs


def test_a_node_without_certificates_has_nothing_to_look_after():
    clock = Clock()
    renewal = Renewal(clock, ServerTLS(clock))
    renewal.start()
    clock.pump([LOOK_SECONDS] * 3)
    clock.advance(TICKET_KEY_SECONDS)
    renewal.reload()
    renewal.stop()
    assert not clock.getDelayedCalls()


DAY = 86400


def test_the_end_of_a_certificate_is_told_two_weeks_a_week_and_a_day_before_and_every_day_after_it(life):
    told = []
    for day in range(64):
        told += [(day, sentence) for sentence in life.said]
        life.said.clear()
        life.clock.advance(DAY)
    assert [day for day, _ in told] == [46, 53, 59, 60, 61, 62, 63]
    path = life.files["certificate"]
    moment = f"{life.shown.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    assert told[0][1] == f"the certificate {path} ends on {moment}: renew it"
    assert told[3][1] == f"the certificate {path} has ended on {moment}: clients will refuse it"


def test_a_certificate_that_has_ended_before_the_start_is_told_once_that_day(tmp_path):
    life = Life(tmp_path, days=-2)
    globalLogPublisher.addObserver(life.observe)
    life.renewal.start()
    life.look(10)
    globalLogPublisher.removeObserver(life.observe)
    life.renewal.stop()
    assert len(life.said) == 1
    assert "has ended" in life.said[0]


def test_a_renewed_certificate_is_said_nothing_of(tmp_path):
    life = Life(tmp_path, days=5)
    globalLogPublisher.addObserver(life.observe)
    life.renewal.start()
    renewed = issue("mx.a.test", days=90)
    life.write("private_key", renewed.key_pem)
    life.write("certificate", renewed.pem)
    life.look(3)
    life.renewal.stop()
    globalLogPublisher.removeObserver(life.observe)
    assert ["ends on" in sentence for sentence in life.said] == [True, False]
