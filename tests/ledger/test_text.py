"""Each value inside a leaf has exactly one text form."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import text
from core.ledger.errors import LeafError
from tests.ledger.kit import PROPERTY

ODD: list[object] = [None, 1, True, [], {}, b"x"]


@PROPERTY
@given(st.datetimes(timezones=st.just(UTC)))
def test_times_read_back(time: datetime) -> None:
    assert text.read_time(text.write_time(time)) == time


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_only_utc_is_written(zone: timezone | None) -> None:
    with pytest.raises(LeafError):
        text.write_time(datetime(2026, 1, 31, tzinfo=zone))


@pytest.mark.parametrize(
    "value",
    [
        *ODD,
        "2026-01-31T09:15:00Z",
        "2026-01-31T09:15:00.000Z",
        "2026-01-31T09:15:00.000000",
        "2026-01-31T09:15:00.000000+00:00",
        "2026-01-31 09:15:00.000000Z",
        "2026-02-30T09:15:00.000000Z",
        "2026-01-31T24:15:00.000000Z",
        "2026-01-31T09:15:00.000000Z\n",
        "２026-01-31T09:15:00.000000Z",
    ],
)
def test_other_times_are_refused(value: Any) -> None:
    with pytest.raises(LeafError):
        text.read_time(value)


@PROPERTY
@given(st.uuids(), st.binary(max_size=70))
def test_ids_and_bytes_read_back(value: Any, data: bytes) -> None:
    assert text.read_uuid(str(value)) == value
    assert text.read_base64(text.write_base64(data), len(data)) == data


@pytest.mark.parametrize(
    "value",
    [
        *ODD,
        "",
        "01900000-0000-7000-8000-00000000000G",
        "01900000-0000-7000-8000-00000000000A",
        "01900000000070008000000000000001",
        "{01900000-0000-7000-8000-000000000001}",
        "01900000-0000-7000-8000-000000000001\n",
    ],
)
def test_other_ids_are_refused(value: Any) -> None:
    with pytest.raises(LeafError):
        text.read_uuid(value)


@pytest.mark.parametrize(
    "value", [*ODD, "QQ", "QR==", "QQ==\n", "Q Q==", "QQ=", "QUE=", "é", "_w=="]
)
def test_other_base64_is_refused(value: Any) -> None:
    with pytest.raises(LeafError):
        text.read_base64(value, 1)
