"""Sharing a device: nobody starves, nothing is left idle, shares follow the weights, credit is not saved up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.signer.fair import Fair


def serve(fair: Fair, queues: dict[str, list[int]], places: int) -> dict[str, int]:
    """One round as the dispatcher does it; queues: tenant -> lanes of its jobs in order. Returns who got how many."""
    waiting = {tenant: jobs[0] for tenant, jobs in queues.items() if jobs}
    got: dict[str, int] = {}
    left = places
    while waiting and left:
        for tenant, granted in fair.grants(waiting, left):
            used = min(granted, len(queues[tenant]))
            del queues[tenant][:used]
            got[tenant] = got.get(tenant, 0) + used
            left -= used
            if used < granted:
                fair.unused(tenant)
                waiting.pop(tenant)
    return got


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 60), min_size=1),
    st.integers(1, 64),
    st.floats(1e-5, 30),
)
def test_a_round_leaves_no_place_idle_and_gives_no_more_than_there_are(
    sizes: dict[str, int], places: int, cost: float
) -> None:
    queues = {tenant: [1] * size for tenant, size in sizes.items()}
    got = serve(Fair(cost), queues, places)
    assert sum(got.values()) == min(places, sum(sizes.values()))


@given(st.integers(2, 12), st.integers(1, 64), st.floats(1e-5, 30))
def test_equal_tenants_with_work_get_equal_shares_within_one_job(
    tenants: int, places: int, cost: float
) -> None:
    fair, rounds = Fair(cost), 40
    queues = {f"t{number}": [1] * (places * rounds) for number in range(tenants)}
    total = dict.fromkeys(queues, 0)
    for _ in range(rounds):
        for tenant, jobs in serve(fair, queues, places).items():
            total[tenant] += jobs
    assert max(total.values()) - min(total.values()) <= 1


def test_a_quiet_tenant_is_served_in_the_next_round_however_much_another_has() -> None:
    fair = Fair(0.001)
    queues = {"big": [1] * 50_000, **{f"quiet{number}": [] for number in range(20)}}
    for _ in range(10):
        serve(fair, queues, 128)
    for number in range(20):
        queues[f"quiet{number}"] = [1]
    got = serve(fair, queues, 128)
    assert all(got[f"quiet{number}"] == 1 for number in range(20))
    assert got["big"] == 108  # what the others left


def test_weights_are_shares() -> None:
    fair = Fair(0.001, {"heavy": 3.0})
    queues = {"heavy": [1] * 10_000, "light": [1] * 10_000}
    total = {"heavy": 0, "light": 0}
    for _ in range(50):
        for tenant, jobs in serve(fair, queues, 40).items():
            total[tenant] += jobs
    assert 2.9 <= total["heavy"] / total["light"] <= 3.1


def test_somebody_who_waits_at_a_page_goes_first_when_places_are_few() -> None:
    fair = Fair(5.0)
    queues = {"mass": [1] * 100, "clerk": [0]}
    serve(fair, {"mass": [1] * 5}, 1)
    assert serve(fair, queues, 1) == {"clerk": 1}


def test_credit_is_not_saved_up_while_there_is_no_work() -> None:
    fair = Fair(0.01)
    queues = {"a": [1] * 1000, "b": []}
    for _ in range(20):
        serve(fair, queues, 10)
    queues["b"] = [1] * 1000
    assert serve(fair, queues, 10) == {"a": 5, "b": 5}


def test_the_cost_follows_the_device() -> None:
    fair = Fair(0.01)
    for _ in range(60):
        fair.measured(1, 5.0)
    assert 4.9 < fair.seconds_a_job <= 5.0


def test_who_comes_to_an_empty_queue_goes_before_the_rounds_once() -> None:
    fair = Fair(0.001)
    big = [("big", 1)]
    assert fair.newcomers(big) == {"big": 1}
    fair.went("big", 1, more=True)
    flows = [*big, ("quiet", 0)]
    assert fair.newcomers(flows) == {"quiet": 0}
    fair.went("quiet", 0, more=False)
    # it is back at once: with all the others, in the next round
    assert fair.newcomers(flows) == {}
    assert fair.backlog(flows) == {"big": 1, "quiet": 0}
    # its queue was empty at the beginning of a round: it is new again
    assert fair.newcomers(big) == {}
    assert fair.backlog(big) == {"big": 1}
    assert fair.newcomers(flows) == {"quiet": 0}


def test_while_nobody_has_a_backlog_everybody_is_new() -> None:
    fair = Fair(0.001)
    for _ in range(5):
        assert fair.newcomers([("a", 0), ("b", 1)]) == {"a": 0, "b": 1}
        fair.went("a", 0, more=False)
        fair.went("b", 1, more=False)
        assert fair.backlog([]) == {}


def test_somebody_at_a_page_goes_before_the_backlog_of_the_same_tenant() -> None:
    fair = Fair(0.001)
    fair.newcomers([("big", 1)])
    fair.went("big", 1, more=True)
    fair.backlog([("big", 1)])
    assert fair.newcomers([("big", 0), ("big", 1)]) == {"big": 0}
    fair.went("big", 0, more=False)
    assert fair.backlog([("big", 0), ("big", 1)]) == {"big": 0}


@given(st.lists(st.sets(st.tuples(st.sampled_from("abcd"), st.integers(0, 1)), max_size=8), max_size=40))
def test_all_work_is_new_or_shares_in_the_next_round(looks: list[set[tuple[str, int]]]) -> None:
    """Nothing is left lying, whatever comes and goes between two looks."""
    fair = Fair(0.001)
    for number, flows in enumerate(looks):
        fresh = fair.newcomers(sorted(flows))
        for tenant, lane in fresh.items():
            fair.went(tenant, lane, more=bool(number % 2))
        shares = fair.backlog(flows)
        assert {tenant for tenant, _ in flows} == fresh.keys() | shares.keys()


def test_a_moments_measurement_says_little() -> None:
    fair = Fair(0.001)
    for _ in range(4):
        fair.measured(1, 0.03)
    assert fair.seconds_a_job < 0.005
