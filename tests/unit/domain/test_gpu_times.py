"""How long a render may take, when it is given up, and what it is charged."""

from datetime import timedelta

import pytest

from millrace.domain.export_requests import BYTES_A_SECOND, GPU_SECONDS_A_VIDEO_SECOND, STARTING_SECONDS
from millrace.domain.gpu_times import GRACE_SECONDS, MOST_SECONDS, QUEUE_SECONDS, GpuTimes, GpuUse
from millrace.domain.jobs import EXPORT
from tests.factories import NOW


@pytest.mark.parametrize(
    ("expected", "execution"), [(0, 600), (150, 600), (151, 604), (100_000, MOST_SECONDS)]
)
def test_a_render_has_more_time_than_it_should_take_within_bounds(expected, execution):
    times = GpuTimes.of(expected_seconds=expected, now=NOW)

    assert times.execution_seconds == execution > EXPORT.lease_seconds
    assert times.ttl_seconds == QUEUE_SECONDS + execution
    assert times.deadline_at == NOW + timedelta(seconds=times.ttl_seconds + GRACE_SECONDS)


@pytest.mark.parametrize(("bits_a_second", "hours"), [(1_000_000, 1), (1_500_000, 1.5), (500_000, 1)])
def test_a_match_of_few_bits_has_as_long_as_it_lasts_and_twice_that(bits_a_second, hours):
    size = bits_a_second / 8 * hours * 3_600
    expected = STARTING_SECONDS + int(size / BYTES_A_SECOND) * GPU_SECONDS_A_VIDEO_SECOND

    times = GpuTimes.of(expected_seconds=expected, by_size=True, now=NOW)

    assert times.execution_seconds >= 2 * hours * 3_600


@pytest.mark.parametrize(
    ("seconds", "counted"), [(0, 0), (0.1, 1), (12.0, 12), (-5, 0), (2**52, MOST_SECONDS)]
)
def test_begun_seconds_count_and_none_beyond_reason(seconds, counted):
    use = GpuUse.of(seconds, second_microusd=440)

    assert use == GpuUse(counted, counted * 440)
    assert GpuUse(10, 3_000).plus(use) == GpuUse(10 + counted, 3_000 + counted * 440)
