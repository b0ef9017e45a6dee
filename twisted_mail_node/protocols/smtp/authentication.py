"""AUTH: what a SASL exchange comes to as SMTP's replies. Source: RFC 4954 §4, §6."""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.internet.defer import CancelledError

from ...mail.errors import MailError
from ...mail.status import Reply
from ...wire.sasl.outcomes import Challenge, RefusalReason, Refused
from ...wire.smtp import replies
from ..login import LoginRefused
from ..sasl import LoggedIn, Step

_REFUSALS: dict[RefusalReason, Reply] = {
    RefusalReason.UNKNOWN_MECHANISM: replies.UNKNOWN_MECHANISM,
    RefusalReason.MALFORMED: replies.BAD_BASE64,
    RefusalReason.CANCELLED: replies.AUTH_CANCELLED,
    RefusalReason.OTHER_IDENTITY: replies.AUTH_FAILED,
}


async def refused_or(step: Awaitable[Step]) -> Challenge | LoggedIn | Reply:
    """What the step came to, with the reply in place of a refusal or a failure."""
    try:
        said = await step
    except CancelledError:
        raise
    except LoginRefused:
        return replies.AUTH_FAILED
    except MailError:
        return replies.AUTH_TEMPORARY
    return _REFUSALS[said.reason] if isinstance(said, Refused) else said
