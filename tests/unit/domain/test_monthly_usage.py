"""A month's usage in numbers a person understands."""

import pytest

from millrace.domain.monthly_usage import SiteUsage


def usage(used, limit):
    row = {"site_id": "site_a", "used": used, "quota_limit": limit, "tier": "free"}
    return SiteUsage.of(row, month="2025-12")


@pytest.mark.parametrize(
    ("used", "limit", "percentage", "remaining"),
    [(0, 20, 0, 20), (1, 3, 33, 2), (999, 1_000, 99, 1), (20, 20, 100, 0), (30, 20, 150, 0), (0, 0, 100, 0)],
)
def test_the_percentage_is_rounded_down_so_that_a_hundred_means_all(used, limit, percentage, remaining):
    counted = usage(used, limit)

    assert (counted.percentage, counted.remaining) == (percentage, remaining)


@pytest.mark.parametrize(
    ("used", "limit", "warned"), [(15, 20, False), (16, 20, True), (30, 20, True), (799, 1_000, False)]
)
def test_from_four_fifths_on_there_is_a_warning(used, limit, warned):
    assert (usage(used, limit).warning is not None) == warned
