"""`nnctl schema`, and that what is generated from the code is as the code is."""

import json
from pathlib import Path

import pytest

from nnctl.cli._reference import pages
from nnctl.cli.main import COMMANDS, main
from nnctl.config.experiment import Experiment
from nnctl.config.schema import json_schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def fresh() -> dict[str, str]:
    """The generated documentation as it should be."""
    return pages()


def test_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr() == (json.dumps(json_schema(Experiment), indent=2, ensure_ascii=False) + "\n", "")


def test_generated_documentation_is_fresh(fresh: dict[str, str]) -> None:
    stale = [name for name in fresh if not (DOCS / name).exists() or (DOCS / name).read_text("utf-8") != fresh[name]]
    left_over = {path.relative_to(DOCS).as_posix() for path in (DOCS / "reference").glob("*.md")} - set(fresh)
    assert not stale, f"{', '.join(stale)} in docs/: stale; run `python -m nnctl schema --docs docs`"
    assert not left_over, f"{', '.join(left_over)} in docs/: no longer generated; delete"


def test_writes_the_documentation(tmp_path: Path, capsys: pytest.CaptureFixture[str], fresh: dict[str, str]) -> None:
    assert main(["schema", "--docs", str(tmp_path)]) == 0
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == set(fresh)
    assert capsys.readouterr().out == ""


def test_the_command_page_has_every_command_and_option(fresh: dict[str, str]) -> None:
    page = fresh["reference/commands.md"]
    assert all(f"## nnctl {name}\n" in page for name in COMMANDS)
    assert "`--docs`" not in page, "hidden options stay hidden"


def test_every_key_is_in_the_reference(fresh: dict[str, str]) -> None:
    everything = "\n".join(fresh[name] for name in fresh if name.startswith("reference/"))
    schema = json_schema(Experiment)
    for definition in (schema, *schema["$defs"].values()):
        for key, prop in definition.get("properties", {}).items():
            assert f"| `{key}` |" in everything or f"## `{prop.get('const')}`" in everything, key
