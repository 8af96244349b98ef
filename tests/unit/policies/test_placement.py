"""Who gets a place: never more than fits, nobody passed over, and no repository before its turn."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from policies.placement import Busy, Caps, HostFacts, Plan, Waiting, plan

LABELS = st.frozensets(st.sampled_from(["big", "gpu"]))
HOSTS = st.lists(
    st.builds(
        HostFacts,
        id=st.sampled_from(["h1", "h2", "h3"]),
        name=st.just("some"),
        capacity=st.integers(1, 4),
        busy=st.integers(0, 5),
        labels=LABELS,
    ),
    unique_by=lambda host: host.id,
)
NAMES = st.sampled_from(["ant", "bee"])
REPOSITORIES = st.sampled_from(["left", "right"])
WAITING = st.lists(
    st.builds(
        Waiting,
        run=st.integers(0, 99).map(str),
        repository=REPOSITORIES,
        agent=NAMES,
        account=st.sampled_from(["", "mine"]),
        needs=LABELS,
        only=st.sampled_from(["", "", "h1"]),
        home=st.sampled_from(["h1", "h2"]),
        priority=st.integers(0, 2),
        since=st.integers(0, 9).map(float),
    ),
    max_size=8,
    unique_by=lambda one: one.run,
)
BUSY = st.lists(st.builds(Busy, REPOSITORIES, NAMES), max_size=4)
CAPS = st.builds(
    Caps,
    total=st.none() | st.integers(1, 6),
    named=st.dictionaries(st.sampled_from(["ant", "bee", "mine"]), st.integers(1, 3)),
)


def waits(run: str, **more: object) -> Waiting:
    return Waiting(**{"run": run, "repository": "left", "agent": "ant", **more})  # type: ignore[arg-type]


def host(id_: str, **more: object) -> HostFacts:
    return HostFacts(**{"id": id_, "name": id_, "capacity": 2, **more})  # type: ignore[arg-type]


def places(found: Plan) -> list[tuple[str, str]]:
    return [(one.run, one.host) for one in found.placed]


@given(WAITING, BUSY, HOSTS, CAPS)
def test_nobody_is_forgotten_and_nobody_placed_twice(
    waiting: list[Waiting], busy: list[Busy], hosts: list[HostFacts], caps: Caps
) -> None:
    found = plan(waiting, busy, hosts, caps)
    told = [*(one.run for one in found.placed), *(one.run for one in found.waits)]
    assert sorted(told) == sorted(one.run for one in waiting)


@given(WAITING, BUSY, HOSTS, CAPS)
def test_no_host_gets_more_than_it_has_room_for(
    waiting: list[Waiting], busy: list[Busy], hosts: list[HostFacts], caps: Caps
) -> None:
    given_ = Counter(one.host for one in plan(waiting, busy, hosts, caps).placed)
    room = {host.id: max(0, host.capacity - host.busy) for host in hosts}
    assert all(count <= room[name] for name, count in given_.items())


@given(WAITING, BUSY, HOSTS, CAPS)
def test_a_run_goes_only_where_it_can_be_done(
    waiting: list[Waiting], busy: list[Busy], hosts: list[HostFacts], caps: Caps
) -> None:
    runs, known = {one.run: one for one in waiting}, {host.id: host for host in hosts}
    for placed in plan(waiting, busy, hosts, caps).placed:
        one = runs[placed.run]
        assert one.needs <= known[placed.host].labels
        assert one.only in ("", placed.host)


@given(WAITING, BUSY, HOSTS, CAPS)
def test_no_limit_is_passed(
    waiting: list[Waiting], busy: list[Busy], hosts: list[HostFacts], caps: Caps
) -> None:
    runs = {one.run: one for one in waiting}
    found = [runs[one.run] for one in plan(waiting, busy, hosts, caps).placed]
    if caps.total is not None and found:
        assert len(busy) + len(found) <= caps.total
    for name, most in caps.named.items():
        new = sum(1 for one in found if name in (one.agent, one.account))
        there = sum(1 for one in busy if name in (one.agent, one.account))
        assert not new or there + new <= most


@given(WAITING, BUSY, HOSTS, CAPS)
def test_no_place_stays_empty_that_somebody_could_have(
    waiting: list[Waiting], busy: list[Busy], hosts: list[HostFacts], caps: Caps
) -> None:
    found = plan(waiting, busy, hosts, caps)
    runs = {one.run: one for one in waiting}
    left = [runs[one.run] for one in found.waits]
    took = Counter(one.host for one in found.placed)
    now = [
        Busy(runs[one.run].repository, runs[one.run].agent, runs[one.run].account)
        for one in found.placed
    ]
    then = [
        HostFacts(
            id=h.id, name=h.name, capacity=h.capacity, busy=h.busy + took[h.id], labels=h.labels
        )
        for h in hosts
    ]
    assert plan(left, [*busy, *now], then, caps).placed == ()


@given(WAITING, BUSY, HOSTS, CAPS, st.randoms())
def test_the_order_of_the_facts_changes_nothing(
    waiting: list[Waiting], busy: list[Busy], hosts: list[HostFacts], caps: Caps, chance: "object"
) -> None:
    found = plan(waiting, busy, hosts, caps)
    for each in (waiting, busy, hosts):
        chance.shuffle(each)  # type: ignore[attr-defined]
    assert plan(waiting, busy, hosts, caps) == found


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12))
def test_repositories_with_enough_to_do_get_the_same(left: int, right: int, room: int) -> None:
    many = [waits(f"l{n}", repository="left", since=0.0) for n in range(left)]
    few = [waits(f"r{n}", repository="right", since=9.0) for n in range(right)]
    found = plan([*many, *few], [], [host("h1", capacity=room)], Caps())
    count = Counter(one.run[0] for one in found.placed)
    rest = {"l": left - count["l"], "r": right - count["r"]}
    assert abs(count["l"] - count["r"]) <= 1 or min(rest.values()) == 0


def test_who_is_urgent_goes_first() -> None:
    found = plan([waits("a"), waits("b", priority=1)], [], [host("h1", capacity=1)], Caps())
    assert places(found) == [("b", "h1")]


def test_who_waits_longer_goes_first() -> None:
    found = plan(
        [waits("a", since=2.0), waits("b", since=1.0)], [], [host("h", capacity=1)], Caps()
    )
    assert places(found) == [("b", "h")]


def test_the_emptier_host_is_chosen() -> None:
    assert places(plan([waits("a")], [], [host("h1", busy=1), host("h2")], Caps())) == [("a", "h2")]


def test_among_equals_the_host_with_the_repository_is_chosen() -> None:
    found = plan([waits("a", home="h2")], [], [host("h1"), host("h2")], Caps())
    assert places(found) == [("a", "h2")]


def reason(one: Waiting, hosts: list[HostFacts], busy: list[Busy], caps: Caps) -> str:
    return plan([one], busy, hosts, caps).waits[0].reason


def test_it_says_that_no_host_is_up() -> None:
    assert reason(waits("a"), [], [], Caps()) == "no host is up"


def test_it_says_which_label_is_missing() -> None:
    needs = frozenset({"gpu"})
    assert reason(waits("a", needs=needs), [host("h1")], [], Caps()) == "a host with gpu is not up"


def test_it_says_that_the_repositorys_host_is_missing() -> None:
    why = reason(waits("a", only="h9"), [host("h1")], [], Caps())
    assert why == "the host that has its repository is not up"


def test_it_says_who_has_enough() -> None:
    why = reason(waits("a"), [host("h1")], [Busy("left", "ant")], Caps(named={"ant": 1}))
    assert why == "ant has 1 of 1 runs at work"


def test_it_says_that_all_together_have_enough() -> None:
    why = reason(waits("a"), [host("h1")], [Busy("left", "bee")], Caps(total=1))
    assert why == "all hosts together have 1 of 1 runs at work"


def test_it_says_that_hosts_are_full() -> None:
    assert (
        reason(waits("a"), [host("h1", busy=2)], [], Caps()) == "every host that can do it is full"
    )
