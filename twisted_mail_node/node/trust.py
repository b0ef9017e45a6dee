"""Whose signature on the certificates of servers is believed that users are looked up at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.ssl import Certificate, trustRootFromCertificates

from .errors import CannotStart, reason

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


# Any: Twisted's own interface of trust roots is private.
def trust_root(path: Path | None) -> Any:
    """
    Those of a file in PEM form; None, for whom the system trusts, where no file is named.

    Raises: CannotStart: the file can't be used.
    """
    if path is None:
        return None
    try:
        certificates = [Certificate.loadPEM(block) for block in _PEM.findall(path.read_bytes())]
    except OSError as error:
        raise CannotStart(f"the certificates {path} can't be read: {reason(error)}") from error
    except (ValueError, SSL.Error, crypto.Error) as error:
        raise CannotStart(f"{path} has something else than certificates in PEM form") from error
    if not certificates:
        raise CannotStart(f"{path} has no certificates in PEM form")
    return trustRootFromCertificates(certificates)
