"""References: the check character catches every slip of one character and every swap of two."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import references
from core.domain.references import (
    ALPHABET,
    LENGTH,
    InvalidReferenceError,
    is_valid,
    make_reference,
    normalise,
    parse_reference,
    show_reference,
)

SIZE = len(ALPHABET)


def _from_values(values: list[int]) -> str:
    left = iter(values)
    return make_reference(lambda _below: next(left))


REFERENCES = st.lists(st.integers(0, SIZE - 1), min_size=LENGTH - 1, max_size=LENGTH - 1).map(
    _from_values
)
SAMPLE = [make_reference(random.Random(seed).randrange) for seed in range(200)]


def test_the_proof_over_all_references() -> None:
    """The check is a weighted sum modulo SIZE, so a slip goes unseen only if its difference is 0.

    A substitution changes the sum by weight x difference, a swap of neighbours by (difference of
    weights) x (difference of values): all positions x all differences are tried, and whether they
    are caught does not depend on the rest of the reference.
    """
    weights = references._WEIGHTS
    assert len(weights) == LENGTH
    differences = range(1, SIZE)
    assert all(weight * d % SIZE for weight, d in product(weights, differences))
    assert all((a - b) * d % SIZE for (a, b), d in product(pairwise(weights), differences))


def test_the_check_is_that_weighted_sum() -> None:
    """Ties the proof to the code: validity is exactly `sum(weight * value) == 0`."""
    picks = random.Random(7)
    for _ in range(5_000):
        text = "".join(picks.choice(ALPHABET) for _ in range(LENGTH))
        total = sum(w * ALPHABET.index(c) for w, c in zip(references._WEIGHTS, text, strict=True))
        assert is_valid(text) == (total % SIZE == 0)


@pytest.mark.parametrize("reference", SAMPLE[:100])
def test_every_single_substitution_is_caught(reference: str) -> None:
    for position, character in product(range(LENGTH), ALPHABET):
        wrong = reference[:position] + character + reference[position + 1 :]
        assert is_valid(wrong) == (wrong == reference)


@pytest.mark.parametrize("reference", SAMPLE)
def test_every_swap_of_neighbours_is_caught(reference: str) -> None:
    for i in range(LENGTH - 1):
        swapped = reference[:i] + reference[i + 1] + reference[i] + reference[i + 2 :]
        assert is_valid(swapped) == (swapped == reference)


def test_no_look_alikes_and_a_prime_alphabet() -> None:
    assert not set(ALPHABET) & set("01258BGILOSUZ")
    assert len(set(ALPHABET)) == SIZE
    assert all(SIZE % divisor for divisor in range(2, SIZE))
    assert 8 <= LENGTH <= 10


@given(REFERENCES, st.data())
def test_readable_whatever_a_bank_does_to_it(reference: str, data: st.DataObject) -> None:
    between = st.sampled_from(["", " ", "-", " - ", "\u00a0"])
    torn = "".join(character + data.draw(between) for character in reference)
    torn = data.draw(st.sampled_from([torn, torn.lower(), f"  {torn}"]))
    assert parse_reference(torn) == reference
    assert normalise(show_reference(reference)) == reference


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    if is_valid(text):
        assert set(parse_reference(text)) <= set(ALPHABET)
    else:
        with pytest.raises(InvalidReferenceError):
            parse_reference(text)


@pytest.mark.parametrize("text", ["", "K7QM3XR", SAMPLE[0] + "A", "O0O0-O0O0", "Ｋ" * LENGTH])
def test_what_is_no_reference(text: str) -> None:
    assert not is_valid(text)
