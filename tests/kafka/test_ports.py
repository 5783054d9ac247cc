import random
import socket

import pytest

from tricast.kafka.errors import NoFreePort
from tricast.kafka.ports import free_ports, is_free


def test_ports_are_different_free_and_begin_with_the_preferred_one():
    (wanted,) = free_ports(1, random.Random())
    found = free_ports(6, random.Random(1), prefer=wanted)
    assert found[0] == wanted
    assert len(set(found)) == 6
    assert all(map(is_free, found))


def test_taken_port_is_not_chosen():
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert not is_free(taken)
        assert taken not in free_ports(1, random.Random(), prefer=taken)


def test_port_that_a_server_just_left_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            connection, _ = server.accept()
            connection.close()  # the server's end closes first and stays in TIME_WAIT
    assert is_free(port)


def test_no_free_port_is_said():
    with pytest.raises(NoFreePort, match="of 100000 free ports"):
        free_ports(100_000, random.Random())
