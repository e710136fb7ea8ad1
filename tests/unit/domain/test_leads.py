"""What may be said of a lead, and how it is kept."""

from datetime import date

import pytest
from pydantic import ValidationError

from millrace.domain.leads import LeadView, PutLead
from tests.factories import NOW


def columns(**said):
    return PutLead.model_validate(said).columns()


def fault(**said):
    """The field that is refused, and why."""
    with pytest.raises(ValidationError) as refused:
        PutLead.model_validate(said)
    (error,) = refused.value.errors()
    return error["loc"][0], error["type"]


def test_only_what_was_said_is_changed_and_null_takes_away():
    assert columns() == {}
    assert columns(first_name="Robin", phone=None) == {"first_name": "Robin", "phone": None}


def test_dollars_are_kept_as_whole_micro_dollars_by_the_digits_they_were_written_with():
    kept = columns(monthly_income=6482.57, monthly_rent=1950)

    assert kept == {"monthly_income_microusd": 6_482_570_000, "monthly_rent_microusd": 1_950_000_000}
    assert columns(monthly_income=0.1)["monthly_income_microusd"] == 100_000
    assert columns(monthly_income=1_000_000_000)["monthly_income_microusd"] == 10**15
    assert columns(monthly_rent=None) == {"monthly_rent_microusd": None}


def test_a_day_is_a_date():
    assert columns(move_in_date="2026-02-01") == {"move_in_date": date(2026, 2, 1)}
    assert columns(move_in_date=None) == {"move_in_date": None}


@pytest.mark.parametrize(
    "email", ["robin@example.com", "r.o+b@mail.example.co.uk", "zoë@bücher.example", "a@b.c"]
)
def test_an_e_mail_address_has_a_name_and_a_domain(email):
    assert columns(email=email) == {"email": email}


@pytest.mark.parametrize(
    "phone", ["+49 30 901820", "(555) 010-0100", "555.0100", "0044-20-7946-0000", "1234"]
)
def test_a_phone_number_is_digits_with_the_usual_signs(phone):
    assert columns(phone=phone) == {"phone": phone}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "robin"),
        ("email", "robin@example"),
        ("email", "robin@@example.com"),
        ("email", "robin @example.com"),
        ("email", "robin@example.com\n"),
        ("email", "r" * 250 + "@e.com"),
        ("email", ""),
        ("phone", "call me"),
        ("phone", "+"),
        ("phone", "123"),
        ("phone", "1" * 40),
        ("phone", "555 0100\n"),
        ("first_name", ""),
        ("first_name", "Robin\x1b[2J"),
        ("last_name", "x" * 101),
        ("last_name", 7),
        ("employment_status", ""),
        ("monthly_income", -0.01),
        ("monthly_income", 1_000_000_001),
        ("monthly_income", "6482.50"),
        ("monthly_income", True),
        ("monthly_rent", float("inf")),
        ("monthly_rent", float("nan")),
        ("move_in_date", "2026-02-30"),
        ("move_in_date", "2026-2-1"),
        ("move_in_date", "20260201"),
        ("move_in_date", "2026-02-01T00:00:00"),
        ("move_in_date", "0000-01-01"),
        ("move_in_date", 0),
        ("move_in_date", ["2026-02-01"]),
        ("status", None),
        ("status", "ai_evaluated"),
        ("status", "manual_review"),
        ("status", "deleted"),
        ("colour", "blue"),
    ],
)
def test_what_is_not_so_is_refused_by_name(field, value):
    assert fault(**{field: value})[0] == field


def test_a_row_is_shown_in_dollars_and_without_whose_it_is():
    row = {
        "id": "lead_1", "tenant_id": "tenant_a", "site_id": "site_a", "status": "new",
        "first_name": "Robin", "last_name": None, "email": None, "phone": None, "employment_status": None,
        "monthly_income_microusd": 6_482_570_000, "monthly_rent_microusd": None,
        "move_in_date": date(2026, 2, 1), "ai_score": None, "ai_label": None, "latest_evaluation_id": None,
        "created_at": NOW, "updated_at": NOW, "decided_at": None, "deleted_at": None,
    }  # fmt: skip

    shown = LeadView.of(row).model_dump(exclude_none=True)

    assert shown == {
        "lead_id": "lead_1",
        "first_name": "Robin",
        "monthly_income": 6482.57,
        "move_in_date": date(2026, 2, 1),
        "status": "new",
        "created_at": NOW,
        "updated_at": NOW,
    }
