"""schemathesis over the OpenAPI document, against the real backend: what it says is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.protocol.messages import Problem
from tests.backend.hostile.place import MEDIA_TYPE, Place
from tests.backend.hostile.routes import Route

_EXAMPLES = 5
_SEED = 20260302
_GOOD = {GenerationMode.POSITIVE: "2xx", GenerationMode.NEGATIVE: "4xx"}
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_the_document_says(
    place: Place, session: requests.Session, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(place.document)
    answers: Counter[str] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        route = _route(place, operation.method, operation.path)
        if mode is GenerationMode.NEGATIVE and not (
            route.body or operation.definition.raw.get("parameters")
        ):
            continue  # nothing there that could be wrong
        headers = place.headers_for(route)
        answers += _try(place, operation, mode, headers, session)
    assert answers[_GOOD[mode]] >= 60, answers


def test_a_document_that_is_wrong_is_found(place: Place, session: requests.Session) -> None:
    """The checks above do see: the same run over a document that lies about one field."""
    place.document["components"]["schemas"]["StudentCards"]["properties"]["cards"] = {
        "type": "integer"
    }
    operation = schemathesis.openapi.from_dict(place.document)["/api/student/cards"]["GET"]
    with pytest.raises(FailureGroup, match="Response violates schema"):
        _try(place, operation, GenerationMode.POSITIVE, {}, session)


def _route(place: Place, method: str, path: str) -> Route:
    return next(r for r in place.routes if (r.method, r.path) == (method.upper(), path))


def _try(
    place: Place,
    operation: Any,
    mode: GenerationMode,
    headers: dict[str, str],
    session: requests.Session,
) -> Counter[str]:
    """How often each class of status came."""
    answers: Counter[str] = Counter()

    @seed(_SEED)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        place.forgive()
        response = case.call(base_url=place.backend.url, session=session, headers=headers)
        case.validate_response(response, checks=_CHECKS)
        answers[f"{response.status_code // 100}xx"] += 1
        if response.status_code >= 400:
            assert response.headers["content-type"] == [MEDIA_TYPE]
            problem = Problem.model_validate_json(response.content)
            assert problem.status == response.status_code
            assert problem.detail

    one()
    return answers
