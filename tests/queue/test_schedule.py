"""When an item is tried again."""

import itertools

import pytest

from twisted_mail_node.queue.schedule import Schedule

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def tries(schedule=None, created=1000.0, chance=lambda: 0.5):
    """All times of tries of an item that always fails, seconds after it came."""
    schedule = schedule or Schedule()
    times, now = [0.0], created
    while (due := schedule.next_due(len(times), created, now, chance)) is not None:
        now = due
        times.append(now - created)
    return times


def test_intervals_grow_and_the_last_try_is_made_after_five_days():
    times = tries()
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert gaps[:9] == [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR]
    assert times[-1] == 5 * DAY
    assert len(times) == 23


def test_nothing_is_tried_after_the_end():
    assert Schedule().next_due(1, 0.0, 5 * DAY, lambda: 0.5) is None
    assert Schedule().next_due(3, 0.0, 50 * DAY, lambda: 0.5) is None


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 54.0), (0.5, 60.0), (0.999999, 66.0)])
def test_jitter_makes_an_interval_shorter_or_longer(chance, seconds):
    assert Schedule().next_due(1, 0.0, 0.0, lambda: chance) == pytest.approx(seconds, abs=0.001)


def test_the_schedule_is_a_setting():
    schedule = Schedule(intervals_seconds=(1.0,), then_every_seconds=2.0, give_up_after_seconds=6.0, jitter=0.0)
    assert tries(schedule) == [0.0, 1.0, 3.0, 5.0, 6.0]
