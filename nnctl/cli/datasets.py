"""`nnctl datasets`: made-up data sets, those at hand, and those to be fetched."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from nnctl.cli._console import Cell, console
from nnctl.cli.main import new_app
from nnctl.files import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnctl.data.fetch.catalogue import DataSet
    from nnctl.data.generators import Generator

app = new_app(help="List, make and fetch data sets.")

#: Where the data sets at hand are.
FOLDER = Path("datasets")
STDOUT = "-"

T = TypeVar("T")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> None:
    """List what can be made or fetched, what of it is there, and the files in ./datasets."""
    from nnctl.data.fetch.catalogue import CATALOGUE

    made = [_described(kind) for kind in generators().values()]
    files = [each for path in sorted(FOLDER.glob("*")) if path.is_file() and (each := _measured(path))]
    sets = [each for known in CATALOGUE.values() for each in _fetched(known)]
    if as_json:
        console.json({"generators": made, "fetch": sets, "files": files})
        return
    rows: list[list[Cell]] = [[kind["type"], kind["summary"], _settings(kind["settings"])] for kind in made]
    console.table(("make", "what", "settings and their defaults"), rows)
    console.result("")
    console.table(("fetch", "what", "here"), [[each["name"], each["summary"], _place(each)] for each in sets])
    if files:
        console.result("")
        console.table(("file", "rows", "columns"), [[each["path"], each["rows"], each["columns"]] for each in files])


def generators() -> dict[str, "type[Generator]"]:
    """The members of the union of generators, by their type."""
    from typing import get_args

    from nnctl.data.generators import AnyGenerator

    members: tuple[type[Generator], ...] = get_args(get_args(AnyGenerator)[0])
    return {str(kind.model_fields["type"].default): kind for kind in members}


def _fetched(known: "DataSet") -> list[dict[str, Any]]:
    """A set to be fetched, for each folder of ./datasets that has files of it; once, without one, where none has."""
    from nnctl.data.fetch.folder import is_file

    names = [file.name for file in known.files]
    folders: list[dict[str, Any]] = []
    for folder in sorted(path for path in FOLDER.glob("*") if path.is_dir()):
        missing = [file.name for file in known.files if not is_file(folder / file.name, file)]
        if missing != names or folder == known.folder:
            folders.append({"folder": str(folder), "missing": missing})
    folders = folders or [{"folder": None, "missing": names}]
    return [{"name": known.name, "summary": known.summary, "files": names} | here for here in folders]


def _place(described: dict[str, Any]) -> str:
    """Where a set is, and whether all of it is."""
    if described["folder"] is None:
        return ""
    files, missing = len(described["files"]), len(described["missing"])
    return (
        f"{described['folder']}, {files - missing} of {files} files" if missing else f"{described['folder']}, complete"
    )


def _described(kind: "type[Generator]") -> dict[str, Any]:
    summary = (kind.__doc__ or "").partition("\n")[0]
    settings = {
        name: {"default": field.default, "description": field.description}
        for name, field in kind.model_fields.items()
        if name != "type"
    }
    return {"type": kind.model_fields["type"].default, "summary": summary.replace("`", ""), "settings": settings}


def _settings(settings: dict[str, dict[str, Any]]) -> str:
    from nnctl.config.dumping import dump_line

    return " ".join(f"{name}={dump_line(setting['default'])}" for name, setting in settings.items())


def _measured(path: Path) -> dict[str, Any] | None:
    """A file's rows and columns; nothing where it is no data, and a word why where it cannot be read."""
    from nnctl.data.sources import SUFFIXES, Arrays, source_of
    from nnctl.errors import DataError

    if Path(path.name.removesuffix(".gz")).suffix.lower() not in SUFFIXES and not path.name.endswith("-ubyte.gz"):
        return None
    try:
        data = source_of(str(path)).open(Path())
    except DataError as error:
        console.warn(f"left out: {error}")
        return None
    columns = " x ".join(map(str, data.shape)) if isinstance(data, Arrays) else len(data.columns)
    return {"path": str(path), "rows": len(data), "columns": columns}


@app.command()
def make(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Which one; `nnctl datasets list` lists them.")],
    size: Annotated[str | None, typer.Option(metavar="ROWS", help="Number of rows.")] = None,
    noise: Annotated[str | None, typer.Option(metavar="SD", help="Standard deviation of the noise.")] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="Where random numbers come from; another seed makes another table.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other setting; repeatable.")
    ] = None,
    output: Annotated[str, typer.Option(metavar="FILE", help="Where to write; - is standard output.")] = STDOUT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if there is one.")] = False,
) -> None:
    """Make a data set, as CSV; pictures that belong to it are written beside it."""
    from io import StringIO

    from nnctl.data.generators import write_csv
    from nnctl.errors import ConfigError

    own = {"size": size, "noise": noise, "seed": seed}
    given = [*(f"{key}={value}" for key, value in own.items() if value is not None), *(settings or ())]
    generator = _generator(kind, given)
    text = StringIO()
    write_csv(generator.generate(), text)
    if output == STDOUT:
        if generator.has_files:
            raise ConfigError(f"{kind}: has files beside its table; say where, as in --output {kind}/{kind}.csv")
        console.result(text.getvalue().removesuffix("\n"))
        return
    table = Path(output)
    files = {table: text.getvalue().encode()}
    files |= {table.parent / path: content for path, content in generator.files().items()}
    if there := [file for file in files if file.exists() and not force]:
        raise ConfigError(f"{there[0]}: is there already; --force overwrites it")
    if generator.has_files:
        for folder in {file.parent for file in files}:
            folder.mkdir(parents=True, exist_ok=True)
    elif not table.parent.is_dir():
        raise ConfigError(f"{output}: there is no folder {table.parent}")
    for file, content in files.items():
        write(file, content)
    console.result(output)


def _generator(kind: str, settings: list[str]) -> "Generator":
    """The generator with its settings, told in the words of the command line where they do not fit."""
    from pydantic import ValidationError

    from nnctl.config.explain_errors import explain
    from nnctl.config.overrides import apply
    from nnctl.config.yaml12 import Document, Place

    chosen = _known(kind, generators())
    document = Document({}, {(): Place(f"datasets make {kind}")})
    for setting in settings:
        apply(document, setting, chosen)
    try:
        return chosen.model_validate(document.data)
    except ValidationError as error:
        raise explain(error, document, chosen) from None


def _known(name: str, choices: "Mapping[str, T]") -> "T":
    """The data set of a name."""
    from nnctl.errors import ConfigError
    from nnctl.names import unknown

    if name not in choices:
        raise ConfigError(f"there is {unknown('data set', name, choices)}")
    return choices[name]


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="mnist, fashion-mnist or kuzushiji-mnist.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the files go; left out, datasets/NAME.")
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="The folder of a mirror to use instead of the known ones."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Fetch a data set from its official source; print its folder.

    Every file is compared with its published size and checksum, those already there too. Without a network, it
    says which files to put where. Needs pooch: pip install 'nnctl[fetch]'.
    """
    from nnctl.cli._download import display
    from nnctl.data.fetch import folder
    from nnctl.data.fetch.catalogue import CATALOGUE

    data_set = _known(name, CATALOGUE)
    target = to or data_set.folder
    with display(console) as watcher:
        fetched = folder.fetch(data_set, target, data_set.mirrors if mirror is None else [_address(mirror)], watcher)
    console.note(folder.next_step(data_set, target))
    if as_json:
        files = [
            {"path": path, "bytes": file.size, "sha256": file.sha256, "source": source, "kept": kept}
            for path, file, source, kept in fetched
        ]
        console.json({"name": name, "folder": target, "files": files})
    else:
        console.result(str(target))


def _address(mirror: str) -> str:
    """The address of a folder, ending in a slash."""
    from urllib.parse import urlsplit

    from nnctl.errors import ConfigError

    try:
        parts = urlsplit(mirror)
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError(f"--from {mirror}: is not the address of a folder; write it as https://example.org/mnist/")
    return mirror.rstrip("/") + "/"
