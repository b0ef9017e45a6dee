"""
Kept forms: what is made of messages after the commit, at idle times, so that questions are answered without reading
them. It may be missing, and then whoever asks reads the message; it may be thrown away, and is made again.

`form` says what text is kept and how; `blocks` has signatures; `filling` makes both, and BODYSTRUCTURE, message after
message; `filler` decides when, and for which mailboxes.
"""
