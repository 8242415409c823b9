"""Every class of failure has plain words, a next step, and says whether trying again is offered."""

from __future__ import annotations

import pytest

from core.domain.failures import FailureClass, explain


@pytest.mark.req("7.1")
@pytest.mark.parametrize("failure", list(FailureClass))
def test_every_class_is_explained_in_plain_words(failure: FailureClass) -> None:
    said = explain(failure)
    for sentence in (said.message, said.next_step):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert failure.value not in sentence or "_" not in failure.value
        assert not any(word in sentence.lower() for word in ("error", "http", "code", "exception"))
    assert ("again" in said.next_step.lower()) or not said.retry


def test_no_two_classes_read_the_same() -> None:
    assert len({explain(failure).message for failure in FailureClass}) == len(FailureClass)


def test_nobody_is_led_to_pay_twice_or_in_vain() -> None:
    assert not explain(FailureClass.DUPLICATE).retry
    assert not explain(FailureClass.CONFIGURATION).retry
    assert "do not pay again" in explain(FailureClass.UNKNOWN).next_step
