from __future__ import annotations

import pytest
from twisted.internet.abstract import FileDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.testing import StringTransport

from twisted_mail_node.protocols.outlet import Outlet


class Socket(FileDescriptor):
    """A plain transport whose socket takes as much at a time as it is told to."""

    def __init__(self, room):
        super().__init__(reactor=object())
        self.connected = 1
        self.room = room
        self.taken = b""
        self.buffered = b""
        self.TLS = False

    def writeSomeData(self, data):  # noqa: N802
        if isinstance(self.room, Exception):
            return self.room
        sent = data[: self.room]
        self.taken += sent
        self.room -= len(sent)
        return len(sent)

    def write(self, data):
        self.buffered += data


def test_what_fits_is_written_at_once():
    socket = Socket(room=100)
    outlet = Outlet(socket)
    outlet.write(b"250 ok\r\n")
    outlet.write(b"354 go\r\n")
    assert (socket.taken, socket.buffered) == (b"250 ok\r\n354 go\r\n", b"")


def test_what_does_not_fit_is_buffered_and_nothing_overtakes_it():
    socket = Socket(room=3)
    outlet = Outlet(socket)
    outlet.write(b"abcde")
    socket.room = 100
    outlet.write(b"fgh")
    assert (socket.taken, socket.buffered) == (b"abc", b"defgh")
    outlet.drained()
    outlet.write(b"ijk")
    assert (socket.taken, socket.buffered) == (b"abcijk", b"defgh")


@pytest.mark.parametrize("state", [{"connected": 0}, {"disconnecting": True}, {"TLS": True}])
def test_a_transport_that_is_not_ready_for_plain_octets_is_asked_itself(state):
    socket = Socket(room=100)
    for name, value in state.items():
        setattr(socket, name, value)
    Outlet(socket).write(b"x")
    assert (socket.taken, socket.buffered) == (b"", b"x")


def test_a_lost_connection_is_left_to_the_transport():
    socket = Socket(room=CONNECTION_LOST)
    outlet = Outlet(socket)
    outlet.write(b"a")
    socket.room = 100
    outlet.write(b"b")
    assert (socket.taken, socket.buffered) == (b"", b"ab")


def test_a_wrapper_sees_every_octet():
    transport = StringTransport()
    outlet = Outlet(transport)
    outlet.write(b"a")
    outlet.drained()
    outlet.write(b"b")
    assert transport.value() == b"ab"
