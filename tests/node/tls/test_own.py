"""The certificate that a node makes for itself."""

import datetime
import os
import stat

from cryptography import x509
from twisted.internet.task import Clock

from twisted_mail_node.node.first_start import load_own_certificate
from twisted_mail_node.node.state import StateFolder
from twisted_mail_node.node.tls import ServerTLS, make_certificate

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def test_it_is_made_once_and_its_key_is_private(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    load_own_certificate(ServerTLS(Clock()), state, ["localhost"])
    made = state.certificate.read_bytes()
    assert stat.S_IMODE(os.stat(state.private_key).st_mode) == 0o600
    load_own_certificate(ServerTLS(Clock()), state, ["localhost"])
    assert state.certificate.read_bytes() == made
    state.private_key.unlink()
    load_own_certificate(ServerTLS(Clock()), state, ["localhost"])
    assert state.certificate.read_bytes() != made
    state.close()


def test_it_names_its_hosts_and_loopback():
    certificate = x509.load_pem_x509_certificate(make_certificate(["mx.xn--r8jz45g.test", "a.test"], NOW)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx.xn--r8jz45g.test", "a.test", "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
