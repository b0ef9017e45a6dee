"""
The node's side of TLS: certificates by name, reloaded while connections go on, under a named policy.

`files` reads what the configuration names, `names` chooses by SNI, `contexts` makes what OpenSSL works with, `server`
gives a connection to each client, `renewal` looks for new files, `own` makes a certificate where nobody gave any.
Which listener has TLS is decided in `listening`.
"""

from .contexts import load_contexts
from .expiry import warnings_of
from .files import check_trusted_certificates
from .own import make_certificate
from .renewal import Renewal
from .server import ServerTLS

__all__ = ["Renewal", "ServerTLS", "check_trusted_certificates", "load_contexts", "make_certificate", "warnings_of"]
