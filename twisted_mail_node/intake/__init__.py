"""
Intake: from the end of a message's envelope to the one commit that makes it real.

`sink` takes the content (IIntake, IMessageSink); `spool` holds it, in memory or staged; `header` looks at what
the header block tells; `trace` and `submission` write the lines that this node adds; `transaction` says what the
message does.
"""

from .identity import TransactionIds
from .sink import Intake, IntakeSettings
from .transaction import MakeReport

__all__ = ["Intake", "IntakeSettings", "MakeReport", "TransactionIds"]
