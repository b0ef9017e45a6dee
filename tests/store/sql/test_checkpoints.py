from __future__ import annotations

from threading import Event, Thread

import pytest

from twisted_mail_node.store.sql.sqlite import checkpoints
from twisted_mail_node.store.sql.sqlite.opening import open_reader
from twisted_mail_node.testing.samples import DATE, body, flags, message


@pytest.fixture
def lengths(store):
    """The write-ahead log's length in pages after each commit."""
    engine = store._machinery.engine
    lengths, tell = [0], engine.on_commit

    def note(pages):
        lengths.append(pages)
        tell(pages)

    engine.on_commit = note
    return lengths


@pytest.fixture
def overlapping_reads(store, path):
    """From now on some reader has a transaction open at every moment."""
    over, begun = Event(), Event()

    def read():
        readers = [open_reader(path), open_reader(path)]
        readers[1].execute("BEGIN; SELECT count(*) FROM account").fetchall()
        while not over.wait(0.01):
            begun.set()
            # The next begins before the last one ends.
            readers[0].execute("BEGIN; SELECT count(*) FROM account").fetchall()
            readers[1].execute("COMMIT")
            readers.reverse()
        for reader in readers:
            reader.close(True)

    thread = Thread(target=read)
    thread.start()
    begun.wait(10)
    yield
    over.set()
    thread.join()


def test_a_log_begins_anew_though_reads_overlap_without_end(
    store, inbox, wait, monkeypatch, lengths, overlapping_reads
):
    for name, pages in (("CHECKPOINT_PAGES", 10), ("RESTART_PAGES", 50), ("INSIST_PAGES", 200)):
        monkeypatch.setattr(checkpoints, name, pages)
    for _ in range(1000):
        wait(inbox.append([(body(message("x" * 10_000)), flags(), DATE)]))
    # Once for every 200 pages or so; had it never begun anew, it would hold several thousand.
    assert max(lengths) < 1500


def test_mail_is_taken_though_another_program_reads_without_end(store, inbox, wait, monkeypatch, lengths, path):
    for name, value in (("CHECKPOINT_PAGES", 10), ("RESTART_PAGES", 50), ("INSIST_PAGES", 60)):
        monkeypatch.setattr(checkpoints, name, value)
    monkeypatch.setattr(checkpoints, "INSIST_MILLISECONDS", 10)
    other = open_reader(path)
    other.execute("BEGIN; SELECT count(*) FROM account").fetchall()
    for _ in range(100):
        wait(inbox.append([(body(message("x" * 10_000)), flags(), DATE)]))
    assert wait(inbox.status()).messages == 100
    assert lengths == sorted(lengths)
    other.close(True)


def test_a_log_that_has_grown_long_begins_anew_though_mail_keeps_coming(store, inbox, wait, monkeypatch, lengths):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_PAGES", 10)
    monkeypatch.setattr(checkpoints, "RESTART_PAGES", 50)
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
