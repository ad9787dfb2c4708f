"""The generated documentation: pages of the experiment file and of the commands."""

import json
from typing import Any

from nnctl.cli.main import COMMANDS, load
from nnctl.config.experiment import Experiment
from nnctl.config.reference import NOTICE, reference_pages
from nnctl.config.schema import json_schema


def pages() -> dict[str, str]:
    """Every generated file by its path under docs/."""
    reference = {f"reference/{name}": text for name, text in reference_pages(Experiment).items()}
    return {
        "nnctl.schema.json": json.dumps(json_schema(Experiment), indent=2, ensure_ascii=False) + "\n",
        "reference/commands.md": commands_page(),
        **reference,
    }


def commands_page() -> str:
    """Every command with its arguments and options."""
    sections = [_section(f"nnctl {name}", load(name)) for name in COMMANDS]
    intro = "Every command takes `--help`; `--quiet` and `--debug` may stand before or after it."
    return "\n".join([NOTICE, "\n# Commands\n", intro, "", *sections])


def _section(title: str, command: Any) -> str:
    """A command; a group's own commands follow it."""
    shown = [param for param in command.params if not getattr(param, "hidden", False) and param.name != "help"]
    rows = [f"| {_names(param)} | {_default(param)} | {_cell(getattr(param, 'help', None) or '')} |" for param in shown]
    table = ["| | default | |", "|---|---|---|", *rows, ""] if rows else []
    below = [_section(f"{title} {name}", sub) for name, sub in getattr(command, "commands", {}).items()]
    return "\n".join([f"## {title}\n", (command.help or "").strip(), "", *table, *below])


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{(param.metavar or param.name).upper()}`"
    return ", ".join(f"`{option}`" for option in [*param.opts, *param.secondary_opts])


def _default(param: Any) -> str:
    if param.required:
        return "required"
    return f"`{param.default}`" if param.default not in (None, False, (), []) else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
