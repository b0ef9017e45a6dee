"""AUTH: the outcomes of SASL and of logins as SMTP's replies. Source: RFC 4954 §4, §6."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from ...interfaces.auth import ILogin
from ...mail.envelope import Peer
from ...mail.errors import MailError
from ...mail.status import Reply
from ...wire.sasl.outcomes import Proposed, RefusalReason
from ...wire.smtp import replies
from ..login import Authenticator, LoginRefused

REFUSALS: dict[RefusalReason, Reply] = {
    RefusalReason.UNKNOWN_MECHANISM: replies.UNKNOWN_MECHANISM,
    RefusalReason.MALFORMED: replies.BAD_BASE64,
    RefusalReason.CANCELLED: replies.AUTH_CANCELLED,
    RefusalReason.OTHER_IDENTITY: replies.AUTH_FAILED,
}


async def log_in(authenticator: Authenticator, peer: Peer, proposed: Proposed) -> ILogin | Reply:
    """The account's ILogin, or the refusal."""
    try:
        return await authenticator.login(peer, proposed.username, proposed.password)
    except CancelledError:
        raise
    except LoginRefused:
        return replies.AUTH_FAILED
    except MailError:
        return replies.AUTH_TEMPORARY
