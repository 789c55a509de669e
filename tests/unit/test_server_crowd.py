"""Room for a new connection: whoever waits for its client longest makes it."""

from server.web.crowd import Crowd


class One:
    def __init__(self, source: str) -> None:
        self.source = source
        self.dropped = 0

    def drop(self) -> None:
        self.dropped += 1


def enter(crowd: Crowd, *sources: str) -> list[One]:
    found = [One(source) for source in sources]
    for one in found:
        assert crowd.enter(one)
    return found


def dropped(members: list[One]) -> list[int]:
    return [member.dropped for member in members]


def test_the_longest_waiting_makes_room() -> None:
    crowd = Crowd(most=3, per_source=3)
    members = enter(crowd, "a", "b", "c")
    crowd.wait(members[0], True)  # it sent something: now b waits longest
    members += enter(crowd, "d")
    assert dropped(members) == [0, 1, 0, 0]
    members += enter(crowd, "e")
    assert dropped(members) == [0, 1, 1, 0, 0]
    assert len(crowd) == 3


def test_what_the_server_works_on_is_never_dropped() -> None:
    crowd = Crowd(most=2, per_source=2)
    members = enter(crowd, "a", "b")
    for member in members:
        crowd.wait(member, False)
    assert not crowd.enter(One("c"))
    crowd.wait(members[1], True)
    enter(crowd, "c")
    assert dropped(members) == [0, 1]


def test_one_source_makes_room_among_its_own() -> None:
    crowd = Crowd(most=10, per_source=2)
    members = enter(crowd, "other", "a", "a", "a")
    assert dropped(members) == [0, 1, 0, 0]
    for member in members[2:]:
        crowd.wait(member, False)
    assert not crowd.enter(One("a"))
    enter(crowd, "new")
    assert dropped(members) == [0, 1, 0, 0]


def test_a_proxy_brings_many_people() -> None:
    crowd = Crowd(most=5, per_source=2, proxies=frozenset({"proxy"}))
    members = enter(crowd, *["proxy"] * 5)
    assert dropped(members) == [0] * 5
    enter(crowd, "proxy")
    assert dropped(members) == [1, 0, 0, 0, 0]


def test_leaving_makes_room_and_happens_once() -> None:
    crowd = Crowd(most=2, per_source=2)
    members = enter(crowd, "a", "a")
    crowd.leave(members[0])
    crowd.leave(members[0])
    crowd.wait(members[0], True)
    members += enter(crowd, "a")
    assert dropped(members) == [0, 0, 0]
    members += enter(crowd, "a")
    assert dropped(members) == [0, 1, 0, 0]
    assert len(crowd) == 2
