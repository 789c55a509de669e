"""The live streams of people: how many, and when one ends."""

import asyncio
from dataclasses import replace

import pytest

from server.accounts.people import Person
from server.views.streams import MOST, PER_PERSON, PER_SESSION, Change, End, Stream, Streams

VAN = Person("vanvanvan2", "Van 2", "van-2", "volunteer")
SAM = Person("samsamsam2", "Sam", "sam", "coordinator")


def ended(streams: list[Stream]) -> list[End | None]:
    return [stream.ended for stream in streams]


def test_the_oldest_stream_of_a_session_makes_room_for_the_fifth() -> None:
    streams = Streams()
    other = streams.open("other", SAM)
    opened = [streams.open("one", VAN) for _ in range(PER_SESSION)]
    assert ended(opened) == [None] * 4
    opened.append(streams.open("one", VAN))
    assert ended(opened) == [End.REPLACED, None, None, None, None]
    streams.open("one", VAN)
    assert ended(opened) == [End.REPLACED, End.REPLACED, None, None, None]
    assert other.ended is None
    assert len(streams) == 5


def test_the_oldest_stream_of_a_person_makes_room_for_the_seventh_session() -> None:
    streams = Streams()
    other = streams.open("other", SAM)
    opened = [streams.open(f"session {i}", VAN) for i in range(PER_PERSON)]
    assert ended(opened) == [None] * 6
    opened.append(streams.open("session 7", VAN))
    assert ended(opened) == [End.REPLACED] + [None] * 6
    assert other.ended is None
    assert len(streams) == 7


def test_one_person_with_eight_hundred_streams_takes_no_room_of_others() -> None:
    streams = Streams()
    for i in range(800):
        streams.open(f"session {i}", VAN)
    assert (len(streams), streams.full) == (PER_PERSON, False)


def test_there_is_a_limit_for_all() -> None:
    streams = Streams()
    opened = [
        streams.open(str(i), replace(VAN, id=f"person {i}")) for i in range(MOST - 1)
    ]  # fmt: skip
    assert not streams.full
    opened.append(streams.open("last", SAM))
    assert streams.full
    streams.end(opened[7], End.LEFT_BEHIND)
    assert not streams.full


def test_a_stream_ends_with_its_session_and_with_a_change_of_its_role() -> None:
    streams = Streams()
    van, sam, new = streams.open("a", VAN), streams.open("b", SAM), streams.open("c", VAN)
    streams.keep({"a", "b"}, {"a": VAN, "b": SAM})
    assert ended([van, sam, new]) == [None, None, None]  # c was opened after the question
    streams.keep({"a", "b"}, {"a": VAN, "b": replace(SAM, role="volunteer")})
    assert ended([van, sam, new]) == [None, End.SESSION, None]
    streams.keep({"a", "c"}, {"c": VAN})
    assert ended([van, sam, new]) == [End.SESSION, End.SESSION, None]
    assert streams.sessions() == {"c"}


def test_the_first_reason_of_an_end_stays() -> None:
    streams = Streams()
    stream = streams.open("a", VAN)
    streams.end(stream, End.SESSION)
    streams.end(stream, End.LEFT_BEHIND)
    streams.end_all(End.STOPPING)
    assert stream.ended is End.SESSION


@pytest.mark.parametrize("waiting", [0, 3])
def test_an_ended_stream_wakes_its_reader_at_once(waiting: int) -> None:
    async def story() -> None:
        streams = Streams()
        stream = streams.open("a", VAN)
        for i in range(waiting):
            streams.send(Change(i))
        streams.end_all(End.STOPPING)
        assert await stream.next(60.0) is None
        assert len(streams) == 0

    asyncio.run(asyncio.wait_for(story(), 10.0))


def test_a_change_reaches_every_stream_and_one_that_nobody_reads_ends() -> None:
    async def story() -> None:
        streams = Streams()
        read, unread = streams.open("a", VAN), streams.open("b", SAM)
        for i in range(101):
            assert unread.ended is None
            streams.send(Change(i))
            assert await read.next(1.0) == Change(i)
        assert ended([read, unread]) == [None, End.LEFT_BEHIND]
        assert await read.next(0.001) is None

    asyncio.run(story())
