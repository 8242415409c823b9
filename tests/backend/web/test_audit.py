"""The audit routes over HTTP: who may ask, what comes back, what is refused."""

from __future__ import annotations

import httpx
import pytest

from core.domain.roles import STAFF_ROLES, Role
from core.ledger.leaf import decode
from core.protocol.messages import AuditActors, AuditOutline, AuditPage, InclusionProof
from tests.backend.web.asking import bearer, problem
from tests.support.live_backend import LiveBackend


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_all_staff_may_read_the_audit_trail(
    live_backend: LiveBackend, http: httpx.Client, role: Role
) -> None:
    headers = bearer(live_backend.staff(role))
    answer = http.get("/api/ledger/entries", params={"limit": 3}, headers=headers)
    page = AuditPage.model_validate_json(answer.content)
    assert [entry.index for entry in page.entries] == [page.size - n for n in (1, 2, 3)]
    outline = http.get("/api/ledger/outline", headers=headers)
    assert AuditOutline.model_validate_json(outline.content).total == page.size
    actors = http.get("/api/ledger/actors", headers=headers)
    assert AuditActors.model_validate_json(actors.content).actors
    proof = http.get("/api/ledger/inclusion", params={"index": 0, "size": 2}, headers=headers)
    assert len(InclusionProof.model_validate_json(proof.content).hashes) == 1


def test_filters_in_the_address(live_backend: LiveBackend, http: httpx.Client) -> None:
    claimed = live_backend.claim()
    headers = bearer(live_backend.staff())
    row = live_backend.row(claimed.enrollment)
    params = {
        "about": row.reference,
        "action": "claim.submitted",
        "since": "2020-01-01T00:00:00+02:00",
    }
    page = AuditPage.model_validate_json(
        http.get("/api/ledger/entries", params=params, headers=headers).content
    )
    (entry,) = page.entries
    leaf = decode(entry.leaf.encode())
    assert (leaf.action, leaf.subject) == ("claim.submitted", f"enrollment:{claimed.enrollment}")
    assert entry.about == row.student.name
    nothing = http.get(
        "/api/ledger/entries", params={**params, "until": "2020-01-02T00:00:00Z"}, headers=headers
    )
    assert AuditPage.model_validate_json(nothing.content).entries == ()


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("entries", {"limit": "0"}, 422),
        ("entries", {"limit": "101"}, 422),
        ("entries", {"before": "-1"}, 422),
        ("entries", {"before": str(2**60)}, 422),
        ("entries", {"actor": "x" * 81}, 422),
        ("entries", {"actor": "a\x00b"}, 422),
        ("entries", {"action": "Ω"}, 422),
        ("entries", {"since": "yesterday"}, 422),
        ("entries", {"since": "2026-01-01T00:00:00"}, 422),
        ("entries", {"since": "0001-01-01T00:00:00+14:00"}, 422),
        ("entries", {"until": "9999-12-31T23:59:59-14:00"}, 422),
        ("entries", {"about": "K7Q"}, 422),
        ("entries", {"about": "33333333"}, 404),
        ("outline", {"about": "33333333"}, 404),
        ("inclusion", {"index": "0"}, 422),
        ("inclusion", {"index": "5", "size": "5"}, 422),
        ("inclusion", {"index": "0", "size": "900000"}, 422),
    ],
)
def test_what_makes_no_sense_is_refused_plainly(
    live_backend: LiveBackend, http: httpx.Client, path: str, params: dict[str, str], status: int
) -> None:
    headers = bearer(live_backend.staff())
    problem(http.get(f"/api/ledger/{path}", params=params, headers=headers), status)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_the_first_and_last_moments_are_times_too(
    live_backend: LiveBackend, http: httpx.Client, name: str, moment: str
) -> None:
    headers = bearer(live_backend.staff())
    answer = http.get("/api/ledger/entries", params={name: moment}, headers=headers)
    page = AuditPage.model_validate_json(answer.content)
    everything = (name == "since") == moment.startswith("0001")
    assert bool(page.entries) is everything
