"""The transcript runner tells right from wrong."""

from __future__ import annotations

import pytest

from twisted_mail_node.testing.transcripts import needs_of, run_transcript, steps_of


class EchoConnection:
    """Answers each line with `got LINE`; `wait` is answered after a second; `bye` ends it."""

    def __init__(self, server):
        self.server, self.data, self.out, self.closed = server, b"", b"hello\r\n", False

    def feed(self, data):
        self.data += data
        while b"\r\n" in self.data:
            line, _, self.data = self.data.partition(b"\r\n")
            if line == b"wait":
                self.server.waiting.append(self)
            else:
                self.out += b"got " + line + b"\r\n"
            self.closed = self.closed or line == b"bye"

    def take(self):
        out, self.out = self.out, b""
        return out

    def drop(self):
        self.closed = True

    def start_tls(self):
        self.out += b"tls\r\n"


class EchoServer:
    def __init__(self):
        self.waiting = []

    def __call__(self, name):
        return EchoConnection(self)

    def advance(self, seconds):
        if seconds >= 1:
            for connection in self.waiting:
                connection.out += b"waited\r\n"


def run(tmp_path, text, piece=1000):
    path = tmp_path / "story.txt"
    path.write_text(text)
    run_transcript(path, EchoServer(), piece)


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_a_whole_story(tmp_path, piece):
    (tmp_path / "body").write_bytes(b"from a file\r\n")
    (tmp_path / "wanted").write_bytes(b"got from a file\r\n")
    run(
        tmp_path,
        r"""# A story. RFC 0 §0
-- needs ECHO
S: hello
C: one
S~ got (?P<word>\w+)
C: again ${word}
S: got again one
C= raw\x41\\\r\n
S: got rawA\
C+ body
S+ wanted
C2: two
S2> .*o
S2~ got t.o
C: b
C: a
S* got a
S*~ got .
C: wait
-- advance 1
S: waited
-- tls
S: tls
C: bye
S: got bye
-- closed
-- drop 2
-- closed 2
""",
        piece,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S: hallo\n", "story.txt:1: wanted 'hallo', got 'hello'"),
        ("S: hello\nS: more\n", "story.txt:2: wanted 'more', got only"),
        ("C: x\nS: hello\n", "left over on connection 1"),
        ("S: hello\nC: a\nS* got b\n", "story.txt:3: wanted 'got b' among"),
        ("S: hello\n-- closed\n", "story.txt:2: the connection is still open"),
        ("S> hi\n", "story.txt:1: wanted 'hi', got only"),
        ("S: hello\nC: ${x}\n", "story.txt:2: nothing was kept as x"),
    ],
)
def test_what_differs_is_named(tmp_path, text, message):
    with pytest.raises(AssertionError) as failed:
        run(tmp_path, text)
    assert message in str(failed.value)


@pytest.mark.parametrize("line", ["X: a", "C~ a", "S= a", "-- dance", "text"])
def test_a_line_of_no_known_kind_is_refused(tmp_path, line):
    path = tmp_path / "bad.txt"
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=r"bad\.txt:1: "):
        list(steps_of(path))


def test_needs_are_told(tmp_path):
    path = tmp_path / "n.txt"
    path.write_text("-- needs MOVE\nS: x\n-- needs IDLE\n")
    assert needs_of(path) == ("MOVE", "IDLE")
