"""Tasks that need each other more deeply than Python's stack allows."""

import pytest

from registry.formats.avro.trampoline import Task, in_order, run


def countdown(number: int) -> Task[int]:
    return 1 + (yield countdown(number - 1)) if number else 0


def leaf(number: int) -> Task[int]:
    return number
    yield


def failing(depth: int) -> Task[None]:
    if depth:
        yield failing(depth - 1)
    raise ValueError(f"at {depth}")


def total(numbers: list[int]) -> Task[int]:
    return sum((yield from in_order(map(leaf, numbers))))


@pytest.mark.parametrize("depth", [0, 1, 100_000])
def test_a_task_has_its_result_however_deep_it_goes(depth: int) -> None:
    assert run(countdown(depth)) == depth


def test_results_come_in_order() -> None:
    assert run(total([1, 2, 3])) == 6


def test_what_a_task_raises_comes_out() -> None:
    with pytest.raises(ValueError, match="at 0"):
        run(failing(5000))
