"""
The checker of twisted.cred for client certificates: whose mail address is in it, has the account of that name.

Decides nothing about whether a certificate holds: it has been verified when it comes here.
"""

from __future__ import annotations

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from zope.interface import implementer

from ..interfaces.credentials import IVerifiedCertificate
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.address import Address


@implementer(ICredentialsChecker)
class CertificateChecker:
    """
    Checks client certificates. The avatar's id is the account's name.

    A certificate with several addresses opens each of their accounts, to who says which; without a word it has to
    have one alone.
    """

    credentialInterfaces = (IVerifiedCertificate,)

    def __init__(self, directory: IDirectory) -> None:
        self._directory = directory

    @returns_deferred
    async def requestAvatarId(self, credentials: IVerifiedCertificate) -> bytes | tuple[()]:
        """Fires with the account's name. Fails with: UnauthorizedLogin; TemporaryFailure."""
        names = {_account_name(address) for address in credentials.certificate.addresses} - {""}
        if credentials.username:
            names &= {credentials.username}
        if len(names) != 1:
            raise UnauthorizedLogin("the certificate is for none or for several accounts, or not for this one")
        name = names.pop()
        if await self._directory.password_hash(name) is None:
            raise UnauthorizedLogin("no such user")
        return name.encode("utf-8")


def _account_name(address: str) -> str:
    try:
        return Address.parse(address).key
    except ValueError:
        return ""
