"""Finding one's way in the types of the experiment file, whatever stands in the file."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import create_model

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.config.navigation import alternatives, specs
from nnctl.errors import ConfigError
from nnctl.spec import Spec


def reachable(annotation: Any, found: list[type[Any]]) -> list[type[Any]]:
    """Every `Spec` class below an annotation."""
    for kind in alternatives(annotation):
        for argument in get_args(kind):
            reachable(argument, found)
    for spec in specs(annotation):
        if spec not in found:
            found.append(spec)
            for field in spec.model_fields.values():
                reachable(field.annotation, found)
    return found


#: Every field that takes certain words and something else.
FIELDS = {
    f"{spec.__name__}.{name}": (spec, name)
    for spec in reachable(Experiment, [])
    for name, field in spec.model_fields.items()
    if len(kinds := list(alternatives(field.annotation))) > 1 and any(get_origin(kind) is Literal for kind in kinds)
}
WRONG = ["[1, 2, 3, 4]", "[[1, 2], 3]", "[a]", "[[a]]", "[{a: 1}]", "{a: [1]}", "{a: {b: c}}", "[]", "{}", "-1.5"]


def test_such_fields_are_found() -> None:
    assert {"Conv2d.padding", "Conv2d.groups", "Training.batch_size", "CrossEntropy.class_weights"} <= set(FIELDS)


@pytest.mark.parametrize("field", FIELDS)
def test_a_wrong_value_beside_words_is_told_not_a_defect(tmp_path: Path, field: str) -> None:
    spec, name = FIELDS[field]
    root = create_model("Root", __base__=Spec, section=(spec, ...))
    kind = f"type: {spec.model_fields['type'].default}, " if "type" in spec.model_fields else ""
    refused = 0
    for wrong in WRONG:
        (tmp_path / "f.yaml").write_text(f"section: {{{kind}{name}: {wrong}}}\n")
        try:
            load_experiment(str(tmp_path / "f.yaml"), [], root)
        except ConfigError as error:
            refused += f"section.{name}" in str(error)
    assert refused >= len(WRONG) / 2
