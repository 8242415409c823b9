"""EFT references: what a student types at the bank so that the money finds its enrollment.

Eight characters, seven free and one check character, shown as `K7QM-3XRA`. The alphabet has no
look-alikes (no 0/O, 1/I/L, 2/Z, 5/S, G, 8/B, U) and a prime number of characters: with
a different non-zero weight at every place, every single wrong character and every swap of two
neighbours is caught (a field has no zero divisors).
"""

from __future__ import annotations

from collections.abc import Callable

ALPHABET = "34679ACDEFHJKMNPQRTVWXY"
LENGTH = 8
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# The last weight is 1, so that the check character can be computed directly.
_WEIGHTS = tuple(range(LENGTH, 0, -1))


class InvalidReferenceError(ValueError):
    """The text is not a reference of ours."""


def _check_value(payload: str) -> int:
    total = sum(
        weight * _VALUE[character] for weight, character in zip(_WEIGHTS[:-1], payload, strict=True)
    )
    return -total % len(ALPHABET)


def make_reference(pick: Callable[[int], int]) -> str:
    """A fresh reference in its plain form; `pick(n)` gives a random number below n."""
    payload = "".join(ALPHABET[pick(len(ALPHABET))] for _ in range(LENGTH - 1))
    return payload + ALPHABET[_check_value(payload)]


def normalise(text: str) -> str:
    """What banks do to a reference, undone: spaces and hyphens dropped, upper case."""
    return "".join(text.split()).replace("-", "").upper()


def is_valid(text: str) -> bool:
    """Whether the normalised text has our length, our characters and a right check character."""
    plain = normalise(text)
    if len(plain) != LENGTH or any(character not in _VALUE for character in plain):
        return False
    return _VALUE[plain[-1]] == _check_value(plain[:-1])


def parse_reference(text: str) -> str:
    """The plain form of a reference that a person typed. Raises InvalidReferenceError."""
    if not is_valid(text):
        raise InvalidReferenceError("This is not one of our references: check it letter by letter.")
    return normalise(text)


def show_reference(plain: str) -> str:
    """`K7QM3XRA` -> `K7QM-3XRA`, easier to read and to copy."""
    return f"{plain[:4]}-{plain[4:]}"
