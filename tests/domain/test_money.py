from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.money import MAX_CENTS, MoneyError, check_cents, format_rand, parse_rand

CENTS = st.integers(0, MAX_CENTS)


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "R 0.00"),
        (5, "R 0.05"),
        (125_000, "R 1 250.00"),
        (100_000_000, "R 1 000 000.00"),
        (-125_050, "-R 1 250.50"),
    ],
)
def test_how_amounts_are_written(cents: int, text: str) -> None:
    assert format_rand(cents) == text.replace(" ", "\u00a0")


@given(CENTS)
def test_what_is_written_is_read_again(cents: int) -> None:
    assert parse_rand(format_rand(cents)) == cents
    assert parse_rand(format_rand(cents).replace("\u00a0", " ")) == cents
    assert parse_rand(f"{cents // 100}.{cents % 100:02}") == cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1250", 125_000),
        (" R1250,00 ", 125_000),
        ("R 1 250", 125_000),
        ("12 345.67", 1_234_567),
        ("0.01", 1),
    ],
)
def test_how_people_write_amounts(text: str, cents: int) -> None:
    assert parse_rand(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "", "R", "-5", "-R 5.00", "1.5", "1,250.00", "1.250,00", "1 25.00", "1e3", "١٢٣",
        "12345678901234", "100000000.01", "9" * 5_000, "1 " + "000 " * 2_000 + "000", "5.00 R",
    ],
)  # fmt: skip
def test_what_is_not_guessed(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_rand(text)


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        cents = parse_rand(text)
    except MoneyError:
        return
    assert check_cents(cents) == cents
    plain = text.strip().lstrip("R").replace("\u00a0", "").replace(" ", "").replace(",", ".")
    assert Decimal(plain) * 100 == cents


@pytest.mark.parametrize("cents", [-1, MAX_CENTS + 1, 1.0, True, "1", None])
def test_cents_are_whole_numbers_in_range(cents: object) -> None:
    with pytest.raises(MoneyError):
        check_cents(cents)  # type: ignore[arg-type]  # what untyped callers may give


@given(CENTS)
def test_good_cents_come_back(cents: int) -> None:
    assert check_cents(cents) == cents
