"""The model's OpenAPI schema, as `cog build` makes it of ``predict.py``: made of the table of inputs.

The Cog runtime reads it from ``.cog/openapi_schema.json`` in its working folder, checks requests by it and
answers /openapi.json with it. An image that Cog built has Cog's own; a server without an image has this one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ssa.api.files import ANNOTATIONS, CLASSES, LABEL_MAP, OVERLAY
from ssa.inputs import INPUTS, InputField

Schema = dict[str, Any]

SCHEMA_PATH = Path(".cog", "openapi_schema.json")

COG_VERSION = "0.22.0"
"""The Cog whose generator this one follows."""

OUTPUTS = {
    OVERLAY: "img_out",
    ANNOTATIONS: "json_out",
    LABEL_MAP: "label_map_out",
    CLASSES: "classes_out",
}
"""The fields of ``predict.Output`` by the files that they hold; all but the first may be missing."""

_TYPES = {
    Path: {"type": "string", "format": "uri"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
}


def schema_bytes() -> bytes:
    """The schema as JSON, compact."""
    return json.dumps(openapi_schema(), separators=(",", ":"), ensure_ascii=False).encode()


def openapi_schema() -> Schema:
    """The schema of the model's HTTP interface."""
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": COG_VERSION},
        "paths": _paths(),
        "components": {"schemas": _schemas()},
    }


def _schemas() -> Schema:
    inputs = {
        name: _input(name, field, order) for order, (name, field) in enumerate(INPUTS.items())
    }
    outputs = {name: _output(name, is_first=name == "img_out") for name in OUTPUTS.values()}
    choices = {
        name: _enumeration(name, field.choices) for name, field in INPUTS.items() if field.choices
    }
    statuses = ("starting", "processing", "succeeded", "canceled", "failed")
    return {
        "Input": _object("Input", inputs, required=["image"]),
        "Output": _object("Output", outputs, required=["img_out"]),
        **choices,
        "PredictionRequest": _object(
            "PredictionRequest", {"id": _plain("Id"), "input": _reference("Input")}
        ),
        "PredictionResponse": _object("PredictionResponse", _response()),
        "Status": _enumeration("Status", statuses),
        "HTTPValidationError": _object(
            "HTTPValidationError", {"detail": _list("Detail", _reference("ValidationError"))}
        ),
        "ValidationError": _validation_error(),
    }


def _input(name: str, field: InputField, order: int) -> Schema:
    if field.choices:
        found: Schema = {"allOf": [_reference(name)]}
    else:
        found = {"title": _title(name), **_TYPES[field.kind]}
    if field.kind is not Path:
        found["default"] = field.default
    if field.optional:
        found["nullable"] = True
    bounds = {"minimum": field.ge, "maximum": field.le, "maxLength": field.max_length}
    given = {key: value for key, value in bounds.items() if value is not None}
    return {**found, **given, "description": field.description, "x-order": order}


def _output(name: str, is_first: bool) -> Schema:
    found = {"title": _title(name), **_TYPES[Path]}
    return found if is_first else {**found, "nullable": True}


def _response() -> Schema:
    dates = ("created_at", "started_at", "completed_at")
    return {
        "input": _reference("Input"),
        "output": _reference("Output"),
        "id": _plain("Id"),
        **{name: {**_plain(_title(name)), "format": "date-time"} for name in dates},
        **{name: _plain(_title(name)) for name in ("version", "logs", "error", "status")},
        "metrics": {"title": "Metrics", "type": "object"},
    }


def _validation_error() -> Schema:
    place = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    fields = {
        "loc": _list("Location", place),
        "msg": _plain("Message"),
        "type": _plain("Error Type"),
    }
    return _object("ValidationError", fields, required=list(fields))


def _paths() -> Schema:
    prediction_id = {"in": "path", "name": "prediction_id", "required": True}
    cancel = _operation("Cancel", "cancel_predictions__prediction_id__cancel_post", can_refuse=True)
    predict = _operation(
        "Predict", "predict_predictions_post", _reference("PredictionResponse"), can_refuse=True
    )
    return {
        "/": {"get": _operation("Root", "root__get")},
        "/health-check": {"get": _operation("Healthcheck", "healthcheck_health_check_get")},
        "/predictions": {
            "post": {
                **predict,
                "description": "Run a single prediction on the model",
                "requestBody": _content(_reference("PredictionRequest")),
            }
        },
        "/predictions/{prediction_id}/cancel": {
            "post": {
                **cancel,
                "parameters": [{**prediction_id, "schema": _plain("Prediction Id")}],
            }
        },
    }


def _operation(
    summary: str, identity: str, answer: Schema | None = None, can_refuse: bool = False
) -> Schema:
    answers = {"200": {"description": "Successful Response", **_content(answer or {})}}
    if can_refuse:
        error = _content(_reference("HTTPValidationError"))
        answers["422"] = {"description": "Validation Error", **error}
    return {"summary": summary, "operationId": identity, "responses": answers}


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _object(title: str, properties: Schema, required: list[str] | None = None) -> Schema:
    found = {"title": title, "type": "object", "properties": properties}
    return found if required is None else {**found, "required": required}


def _enumeration(title: str, values: tuple[str, ...]) -> Schema:
    described = {"title": title, "description": "An enumeration.", "type": "string"}
    return {**described, "enum": list(values)}


def _list(title: str, items: Schema) -> Schema:
    return {"title": title, "type": "array", "items": items}


def _plain(title: str) -> Schema:
    return {"title": title, "type": "string"}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _title(name: str) -> str:
    return name.replace("_", " ").title()
