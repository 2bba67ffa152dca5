"""The schema is the one that Cog's own generator makes of ``predict.py``.

``tests/data/openapi_schema.json`` was compared with what Cog 0.22 wrote: equal in every value. A change of
the inputs is meant to change it.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import predict
from ssa.api.files import NAMES
from ssa.inputs import INPUTS
from ssa.serving.schema import OUTPUTS, openapi_schema, schema_bytes

KEPT = Path(__file__).resolve().parent.parent / "data" / "openapi_schema.json"


def test_it_is_the_schema_that_is_kept() -> None:
    assert openapi_schema() == json.loads(KEPT.read_text(encoding="utf-8"))
    assert json.loads(schema_bytes()) == openapi_schema()


def test_it_has_the_inputs_in_their_order_and_the_outputs_of_the_predictor() -> None:
    schemas = openapi_schema()["components"]["schemas"]
    inputs = schemas["Input"]["properties"]
    assert [inputs[name]["x-order"] for name in INPUTS] == list(range(len(INPUTS)))
    assert schemas["Input"]["required"] == ["image"]
    assert list(schemas["Output"]["properties"]) == list(inspect.get_annotations(predict.Output))
    assert tuple(OUTPUTS) == NAMES


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(openapi_schema())
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(openapi_schema()["components"]["schemas"])
    assert {"Input", "Output", "labels", "mask_source"} <= names
