"""The service's own description, as OpenAPI 3.1: made of its portfolios, so that an example can be sent as it is."""

from __future__ import annotations

from typing import Any

from fraudops import __version__
from fraudops.intake.plain import LONGEST
from fraudops.intake.single import LONGEST_ID
from fraudops.portfolio import Column
from fraudops.serving.pages import columns_of
from fraudops.serving.problems import MEDIA_TYPE, Kind
from fraudops.serving.service import Service

_EXAMPLES = {
    "ISO 8601 moment": "2026-03-05T10:00:00Z",
    "number": 49.9,
    "true or false": False,
    "card number": "4111 1111 1111 1111",
    "account number": "DE02 1203 0000 0000 2020 51",
}
_ALWAYS = (Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.INTERNAL)
_SCORING = (
    *_ALWAYS,
    Kind.INVALID_REQUEST,
    Kind.NOT_FOUND,
    Kind.REQUEST_TIMEOUT,
    Kind.CONFLICT,
    Kind.IN_PROGRESS,
    Kind.TOO_LARGE,
    Kind.TOO_MANY_ROWS,
    Kind.UNSUPPORTED_MEDIA_TYPE,
    Kind.INVALID_TRANSACTION,
    Kind.IDEMPOTENCY_MISMATCH,
    Kind.RATE_LIMITED,
    Kind.BUSY,
    Kind.STOPPING,
    Kind.NO_CHAMPION,
    Kind.DATABASE_AWAY,
    Kind.TIMEOUT,
)
_KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"header": []}]
_TEXT = {"type": "string"}


def schema(service: Service) -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "fraudops scoring service", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": {
            "/v1/score": {"post": _score(service)},
            "/v1/decisions/{decision_id}": {"get": _read("decision_id", "Decision", "A decision, by its id", 40)},
            "/v1/portfolios/{name}": {"get": _read("name", "Portfolio", "What a request needs to say", 41)},
            "/healthz": {"get": _plain("Whether the process is there", "200")},
            "/readyz": {"get": _plain("Whether it can answer; degraded is ready, and says so", "200", "503")},
            "/metrics": {"get": _measures()},
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
            "schemas": _schemas(service),
        },
    }


def _score(service: Service) -> dict[str, Any]:
    requests: dict[str, Any] = {}
    for name in service.portfolios:
        row = _example(service, name)
        requests[f"{name}, one"] = {"value": {"portfolio": name, "transaction": row}}
        requests[f"{name}, several"] = {"value": {"portfolio": name, "transactions": [row]}}
    return {
        "operationId": "score",
        "summary": "Decide on one transaction, or on several",
        "security": _KEYS,
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
                "description": "The same request with the same key within 24 hours gets the same answer.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("ScoreRequest"), "examples": requests}},
        },
        "responses": {
            "200": {
                "description": "The decision; of several, one result for each, in their order",
                "headers": {
                    name: {"schema": {"type": "integer"}}
                    for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
                },
                "content": {"application/json": {"schema": {"anyOf": [_ref("Answer"), _ref("Answers")]}}},
            },
            **_problems(*_SCORING),
        },
    }


def _read(parameter: str, name: str, summary: str, longest: int) -> dict[str, Any]:
    return {
        "operationId": f"read{name}",
        "summary": summary,
        "security": _KEYS,
        "parameters": [
            {
                "name": parameter,
                "in": "path",
                "required": True,
                "schema": {**_TEXT, "minLength": 1, "maxLength": longest},
            }
        ],
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": _ref(name)}}},
            **_problems(*_ALWAYS, Kind.NOT_FOUND, Kind.DATABASE_AWAY),
        },
    }


def _plain(summary: str, *statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref("State")}}
    return {"summary": summary, "responses": {one: {"description": summary, "content": content} for one in statuses}}


def _measures() -> dict[str, Any]:
    content = {"text/plain": {"schema": _TEXT}}
    responses = {"200": {"description": "Measures for Prometheus", "content": content}, **_problems(*_ALWAYS)}
    return {"summary": "Measures for Prometheus", "security": _KEYS, "responses": responses}


def _problems(*kinds: Kind) -> dict[str, Any]:
    """Responses by status, with an example of each kind."""
    found: dict[str, Any] = {}
    for kind in sorted(kinds, key=lambda kind: kind.status):
        content = {"schema": _ref("Problem"), "examples": {}}
        place = found.setdefault(str(kind.status), {"description": kind.title, "content": {MEDIA_TYPE: content}})
        example: dict[str, Any] = {"type": kind.uri, "title": kind.title, "status": kind.status}
        if kind is Kind.INVALID_TRANSACTION:
            example["errors"] = [{"column": "amount", "reason": "empty", "remedy": "fill it in"}]
        place["content"][MEDIA_TYPE]["examples"][kind.slug] = {"value": example}
        if kind.status in (429, 503, 504):
            place["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    return found


def _schemas(service: Service) -> dict[str, Any]:
    decision = {
        "decision_id": _TEXT,
        "transaction_id": _TEXT,
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "decision": {"enum": ["allow", "review", "block"]},
        "thresholds": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "reasons": {"type": "array", "items": _object({"code": _TEXT, "text": _TEXT})},
        "model_version": _TEXT,
        "degraded": {"type": "array", "items": _TEXT, "description": "What was away, such as database"},
    }
    fresh = {**decision, "repeated": {"type": "boolean", "description": "It was decided before; this is that decision"}}
    fault = _object({"column": {"type": ["string", "null"]}, "reason": _TEXT, "remedy": _TEXT})
    problem = _object({"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}})
    problem["properties"] |= {"detail": _TEXT, "errors": {"type": "array", "items": fault}, "decision_id": _TEXT}
    problem["properties"]["type"] = {"enum": [kind.uri for kind in Kind]}
    index = {"index": {"type": "integer", "minimum": 0}}
    result: dict[str, Any] = {"oneOf": [_object({**index, **fresh}), _object({**index, "problem": _ref("Problem")})]}
    return {
        "ScoreRequest": {"oneOf": [one for name in service.portfolios for one in _requests(service, name)]},
        "Answer": _object({"portfolio": _TEXT, **fresh}),
        "Answers": _object(
            {"portfolio": _TEXT, "errors": {"type": "integer"}, "results": {"type": "array", "items": result}}
        ),
        "Decision": _object({"portfolio": _TEXT, **decision, "received_at": {**_TEXT, "format": "date-time"}}),
        "Portfolio": {"type": "object", "required": ["name", "columns", "champion", "thresholds"]},
        "State": {"type": "object", "required": ["status"]},
        "Problem": problem,
        **{f"Transaction_{name}": _transaction(service, name) for name in service.portfolios},
    }


def _requests(service: Service, name: str) -> list[dict[str, Any]]:
    row = _ref(f"Transaction_{name}")
    # One that is not such a transaction gets a problem of its own; the others are decided.
    rows = {
        "type": "array",
        "items": {"type": "object"},
        "description": _EACH.format(name),
        "minItems": 1,
        "maxItems": service.limits.rows,
    }
    kinds: tuple[dict[str, Any], ...] = ({"transaction": row}, {"transactions": rows})
    return [{**_object({"portfolio": {"const": name}, **kind}), "additionalProperties": False} for kind in kinds]


_EACH = "Each as in Transaction_{}; one that is not has a problem in its place of the results."


def _transaction(service: Service, name: str) -> dict[str, Any]:
    """A transaction of a portfolio. What a text must look like, its documentation says, and the answer."""
    reader = service.readers[name]
    columns = columns_of(reader)
    ignored: dict[str, Any] = {column: {} for column in sorted(reader.feed.ignored)}
    return {
        "type": "object",
        "properties": {
            column["name"]: {
                "description": f"{column['type']}. {column['description']}".strip(),
                **_kind(column, reader.feed.columns.get(column["name"])),
            }
            for column in columns
        }
        | ignored,
        "required": [column["name"] for column in columns if column["required"]],
        "additionalProperties": False,
    }


def _kind(column: dict[str, Any], declared: Column | None) -> dict[str, Any]:
    """What is certainly understood; other ways of writing a value are too, see the documentation."""
    longest = LONGEST_ID if column["name"] == "transaction_id" else LONGEST
    filled = {**_TEXT, "maxLength": longest, "pattern": "^[^\\u0000]*[!-~][^\\u0000]*$"}
    match column["type"]:
        case "ISO 8601 moment":
            kinds: list[dict[str, Any]] = [{**_TEXT, "pattern": _MOMENT}]
        case "number":
            low = declared.minimum if declared is not None else None
            high = declared.maximum if declared is not None else None
            bounds = {"minimum": -_LARGEST if low is None else low, "maximum": _LARGEST if high is None else high}
            sign = "-?" if low is None else ""
            kinds = [{"type": "number", **bounds}]
            if high is None and not low:
                kinds.append({**_TEXT, "pattern": f"^{sign}[0-9]{{1,9}}(\\.[0-9]{{1,4}})?$"})
        case "true or false":
            kinds = [{"type": "boolean"}, {"enum": ["true", "false", "1", "0", 1, 0]}]
        case "card number":
            kinds = [{**_TEXT, "pattern": "^[0-9]{12,19}$", "description": "The last digit is a check digit (Luhn)."}]
        case "account number":
            kinds = [{**_TEXT, "pattern": "^[0-9A-Za-z]{4,34}$"}]
        case text if text.startswith("number"):
            kinds = [{"type": "number", "minimum": 0, "maximum": 1e9}]
        case _:
            kinds = [filled, {"type": "number", "minimum": -1e9, "maximum": 1e9}]
    return {"anyOf": kinds if column["required"] else [*kinds, {"type": "null"}]}


_LARGEST = 1e12
_MOMENT = (
    "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    "(\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])$"
)


def _example(service: Service, name: str) -> dict[str, Any]:
    return {
        column["name"]: _EXAMPLES.get(column["type"], 17 if column["type"].startswith("number") else "A17")
        for column in columns_of(service.readers[name])
        if column["required"] or column["type"] in ("card number", "account number")
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
