"""The JSON schemas of what the commands write, as committed beside the models.

python -m bench.schema report > bench/report/schema.json
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

from pypiserver_stack.common.entry_point import Arguments, show, start_program

if TYPE_CHECKING:
    from pydantic import BaseModel

MODELS = {
    "report": ("bench.report.model", "Report"),
    "metrics": ("bench.deployment.observe.metrics", "MetricsFile"),
    "comparison": ("bench.commands.compare.model", "Comparison"),
    "consistency": ("bench.commands.consistency.model", "ConsistencyReport"),
    "explanation": ("bench.commands.explain.model", "Explanation"),
    "bill": ("bench.commands.cost.model", "Bill"),
    "stack": ("bench.commands.aws.model", "StackReport"),
}


def main() -> None:
    arguments = Arguments("python -m bench.schema", description="Print a JSON schema.")
    arguments.add_argument("name", choices=MODELS)
    module, model = MODELS[arguments.parse_args().name]
    show(schema_text(getattr(importlib.import_module(module), model)))


def schema_text(model: type[BaseModel]) -> str:
    """The JSON schema of a model, as its file holds it."""
    return json.dumps(model.model_json_schema(mode="serialization"), indent=2) + "\n"


if __name__ == "__main__":
    start_program(main)
