"""What counts as done, and how doubles after a resume are known."""

import pytest

from tricast.consumer import Done, Event, Place, Seen, Unread
from tricast.consumer.progress import Progress


def event(offset: int, partition: int = 0, *, id_: str = "", source: str = "tricast/kambi/line") -> Event:
    return Event(
        topic="kambi.offers",
        partition=partition,
        offset=offset,
        key="1",
        id=id_ or f"{partition}/{offset}",
        type="",
        subject="",
        source=source,
        time=None,
        received_ns=None,
        replayed=None,
        headers={},
        value=b"",
        data=Unread(why="no-type"),
    )


ZERO, ONE = Place("kambi.offers", 0), Place("kambi.offers", 1)


def test_what_is_in_hand_is_not_done():
    progress = Progress()
    progress.hand_out(event(3))
    assert progress.take() == {}
    progress.hand_out(event(7))
    progress.hand_out(event(1, 1))
    assert progress.take() == {ZERO: 8}
    assert progress.take() == {}
    progress.settle()
    assert progress.take() == {ONE: 2}


def test_what_could_not_be_committed_is_still_to_be():
    progress = Progress()
    progress.hand_out(event(3))
    progress.settle()
    taken = progress.take()
    progress.hand_out(event(1, 1))
    progress.settle()
    progress.put_back(taken)
    assert progress.take() == {ZERO: 4, ONE: 2}


def test_a_later_position_is_not_put_back():
    progress = Progress()
    progress.hand_out(event(3))
    progress.settle()
    taken = progress.take()
    progress.hand_out(event(4))
    progress.settle()
    progress.put_back(taken)
    assert progress.take() == {ZERO: 5}


def test_a_lost_partition_is_nothing_to_commit_even_with_a_record_in_hand():
    progress = Progress()
    progress.hand_out(event(3))
    progress.hand_out(event(1, 1))
    progress.hand_out(event(4))
    progress.lose([ZERO])
    progress.settle()
    assert progress.take() == {ONE: 2}


def test_stored_positions_tell_doubles():
    done = Done()
    assert [done.is_new(one) for one in (event(3), event(7), event(3), event(7), event(0, 1))] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert done.next_offsets == {ZERO: 8, ONE: 1}
    again = Done(done.next_offsets)
    assert [again.is_new(one) for one in (event(7), event(9), event(0, 1), event(1, 1))] == [False, True, False, True]


def test_an_identity_is_a_source_and_an_id():
    seen = Seen()
    assert seen.is_new(event(1, id_="a"))
    assert not seen.is_new(event(2, id_="a"))
    assert seen.is_new(event(3, id_="a", source="tricast/kambi/line/health"))


@pytest.mark.parametrize(("most", "known"), [(2, True), (1, False)])
def test_the_oldest_identities_go_first(most: int, known: bool):
    seen = Seen(most)
    seen.is_new(event(1, id_="a"))
    seen.is_new(event(2, id_="b"))
    assert seen.is_new(event(3, id_="a")) is not known
