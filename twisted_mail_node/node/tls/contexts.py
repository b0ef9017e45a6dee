"""
What OpenSSL works with: a context for each choice of certificates, all of them alike but for these.

Made as a whole at each load, then never changed: connections that have begun keep theirs. Renegotiation and
compression are off. Session tickets are sealed with keys that only these contexts have, in memory: a new load, and
`fresh` in between, end them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

from OpenSSL.SSL import (
    MODE_RELEASE_BUFFERS,
    OP_CIPHER_SERVER_PREFERENCE,
    OP_NO_COMPRESSION,
    OP_NO_RENEGOTIATION,
    OP_NO_TICKET,
    SESS_CACHE_OFF,
    TLS_METHOD,
    Connection,
    Context,
)
from OpenSSL.SSL import Error as OpenSSLError

from ..config.sections import TLSSettings
from ..errors import CannotStart, reason
from .alpn import refuse_other_protocols
from .client import Trust, ask_for_certificate
from .files import Pair, read_authorities, read_pair, read_revocations
from .names import ByName
from .policy import POLICIES, Policy

TICKET_SECONDS = 7200
"""For how long a client may resume its session with a ticket: OpenSSL's own default."""

# Sessions are bound to the program that made them (OpenSSL wants a name where clients are asked for certificates).
_SESSION_ID_CONTEXT = b"mailnode"


class _OneOfSeveral(Context):
    """
    Of a name that has several certificates: no session is resumed.

    It would not tell which of them it was begun with, and SASL may be bound to that one.
    """


@dataclass(frozen=True, slots=True)
class Contexts:
    """
    The contexts of one load, by name: for services that ask no client for a certificate, and for those that do.

    Where nobody's certificates count, the two are the same.
    """

    pairs: tuple[Pair, ...]
    trust: Trust | None
    policy: Policy
    plain: ByName[Pair, Context]
    asking: ByName[Pair, Context]

    def fresh(self) -> Contexts:
        """The same with new keys for tickets."""
        return _made(self.pairs, self.trust, self.policy)


def load_contexts(settings: TLSSettings) -> Contexts:
    """
    Read all files of a configuration.

    Raises: CannotStart: one can't be used, or the certificate and key of a pair don't belong together.
    """
    pairs = [read_pair(settings.certificate, settings.private_key)]
    for further in settings.further:
        pairs.append(read_pair(further.certificate, further.private_key))
        if not pairs[-1].names:
            raise CannotStart(f"the certificate {further.certificate} has no host name, so no client would get it")
    return _made(tuple(pairs), _trust(settings), POLICIES[settings.policy])


def _trust(settings: TLSSettings) -> Trust | None:
    if settings.client_authorities is None:
        return None
    revocations = settings.client_revocations
    return Trust(read_authorities(settings.client_authorities), read_revocations(revocations) if revocations else ())


def _made(pairs: tuple[Pair, ...], trust: Trust | None, policy: Policy) -> Contexts:
    plain = ByName(pairs, lambda chosen: _context(chosen, policy, None))
    _choose_by_name(plain)
    if trust is None:
        return Contexts(pairs, trust, policy, plain, plain)
    asking = ByName(pairs, lambda chosen: _context(chosen, policy, trust))
    _choose_by_name(asking)
    return Contexts(pairs, trust, policy, plain, asking)


def _context(pairs: tuple[Pair, ...], policy: Policy, trust: Trust | None) -> Context:
    context = Context(TLS_METHOD) if len(pairs) == 1 else _OneOfSeveral(TLS_METHOD)
    context.set_min_proto_version(policy.lowest)
    context.set_cipher_list(policy.ciphers)
    context.set_tls13_ciphersuites(policy.suites)
    context.set_options(OP_NO_RENEGOTIATION | OP_NO_COMPRESSION | OP_CIPHER_SERVER_PREFERENCE)
    # An idle connection has no use for the buffers of records.
    context.set_mode(MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SESS_CACHE_OFF)
    context.set_session_id(_SESSION_ID_CONTEXT)
    context.set_timeout(TICKET_SECONDS)
    refuse_other_protocols(context)
    if trust is not None:
        ask_for_certificate(context, trust)
    if len(pairs) > 1:
        context.set_options(OP_NO_TICKET)
    for pair in pairs:
        _use(context, pair)
    return context


def _use(context: Context, pair: Pair) -> None:
    """Raises: CannotStart: OpenSSL does not want it: a key that is too short, a digest that is too weak."""
    try:
        # From a file alone a context takes a chain for each certificate; what is in this one was checked.
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(pair.chain_pem())
            file.flush()
            context.use_certificate_chain_file(file.name)
        context.use_privatekey(pair.key)
    except OSError as error:
        raise CannotStart(f"the certificate {pair.path} can't be handed to OpenSSL: {reason(error)}") from error
    except (OpenSSLError, TypeError, ValueError) as error:
        raise CannotStart(f"the certificate {pair.path} can't be used: {_why(error)}") from error


def _why(error: Exception) -> str:
    """The last of OpenSSL's reasons, which come as (library, function, reason)."""
    match error.args:
        case ([*_, (str(), str(), str(reason))],):
            return reason
        case _:
            return str(error)


def _choose_by_name(contexts: ByName[Pair, Context]) -> None:
    def choose(connection: Connection) -> None:
        chosen = contexts.of(connection.get_servername())
        if chosen is not connection.get_context():
            connection.set_context(chosen)
            if isinstance(chosen, _OneOfSeveral):
                # A connection keeps the options that it began with.
                connection.set_options(OP_NO_TICKET)

    # A connection begins with the first certificate's.
    contexts.default.set_tlsext_servername_callback(choose)
