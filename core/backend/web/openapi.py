"""What the OpenAPI document says of every route alike: how it refuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from core.backend.web.auth import RequireStudent, cookie_over
from core.backend.web.problems import MEDIA_TYPE
from core.protocol.messages import Problem

_REF = "#/components/schemas/{model}"
_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def refusals() -> dict[int | str, dict[str, Any]]:
    """For `FastAPI(responses=...)`: every refusal is a problem document."""
    schema = {"$ref": _REF.format(model=Problem.__name__)}
    return {
        status.value: {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in _REFUSALS
    }


class DescribedApi(FastAPI):
    """Adds the problem document to the schemas, which FastAPI does only for `application/json`,
    and the name that the student's cookie has here."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas[Problem.__name__] = Problem.model_json_schema(ref_template=_REF)
        student = document["components"]["securitySchemes"][RequireStudent().scheme_name]
        student["name"] = cookie_over(https=self.state.https)
        return document
