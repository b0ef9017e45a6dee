"""The checker of client certificates."""

from __future__ import annotations

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_mail_node.auth.certificates import CertificateChecker
from twisted_mail_node.interfaces.credentials import IVerifiedCertificate
from twisted_mail_node.mail.certificate import ClientCertificate


@implementer(IVerifiedCertificate)
class Shown:
    def __init__(self, username, *addresses):
        self.username, self.certificate = username, ClientCertificate(addresses=addresses)


@pytest.fixture
def checker(directory):
    directory.hashes |= {"joe@x": "hash", "ann@x": "hash"}
    return CertificateChecker(directory)


def test_it_is_a_checker_of_twisted_cred(checker):
    verifyObject(ICredentialsChecker, checker)


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (Shown("", "joe@x"), b"joe@x"),
        (Shown("joe@x", "Joe@X"), b"joe@x"),
        (Shown("ann@x", "joe@x", "ann@x"), b"ann@x"),
        (Shown("", "joe@x", "JOE@x"), b"joe@x"),
        (Shown("", "joe@x", "no address"), b"joe@x"),
    ],
)
def test_certificate_opens_the_account_of_its_address(checker, shown, name, result_of):
    assert result_of(checker.requestAvatarId(shown)) == name


@pytest.mark.parametrize(
    "shown",
    [
        Shown(""),
        Shown("", "no address"),
        Shown("joe@x"),
        Shown("ann@x", "joe@x"),
        Shown("", "joe@x", "ann@x"),
        Shown("", "nobody@x"),
    ],
)
def test_certificate_opens_nothing_else(checker, shown, result_of):
    with pytest.raises(UnauthorizedLogin):
        result_of(checker.requestAvatarId(shown))
