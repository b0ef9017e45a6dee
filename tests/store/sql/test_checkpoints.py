from __future__ import annotations

from twisted_mail_node.store.sql import checkpoints
from twisted_mail_node.testing.samples import DATE, body, flags, message


def test_a_log_that_has_grown_long_begins_anew_though_mail_keeps_coming(store, inbox, wait, monkeypatch):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_PAGES", 10)
    monkeypatch.setattr(checkpoints, "RESTART_PAGES", 50)
    writer = store._machinery.writer
    lengths, tell = [0], writer.on_commit

    def note(pages):
        lengths.append(pages)
        tell(pages)

    writer.on_commit = note
    for _ in range(2000):
        wait(inbox.append([(body(message("x" * 10_000)), flags(), DATE)]))
        if lengths[-1] < lengths[-2]:
            break
    assert lengths[-1] < lengths[-2]
    assert max(lengths) >= 50


def test_a_long_log_is_moved_without_being_asked(store, inbox, wait, monkeypatch, path):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_PAGES", 1)
    size = path.stat().st_size
    for _ in range(2000):
        wait(inbox.append([(body(message("x" * 10_000)), flags(), DATE)]))
        if path.stat().st_size > size:
            break
    assert path.stat().st_size > size
