"""Where examples come from: one file a format, one union of all."""

from pathlib import Path, PurePath
from typing import Annotated, Any

from nnctl.data.sources.base import Arrays, Source
from nnctl.data.sources.decoding import SUFFIXES as IMAGE_SUFFIXES
from nnctl.data.sources.delimited import Csv, Tsv
from nnctl.data.sources.idx import Idx
from nnctl.data.sources.image_folder import ImageFolder
from nnctl.data.sources.image_manifest import ImageManifest
from nnctl.data.sources.images import ImageSource
from nnctl.data.sources.jsonl import JsonLines
from nnctl.data.sources.memory import Generated, Inline
from nnctl.data.sources.npy import Npy, Npz
from nnctl.data.sources.parquet import Parquet
from nnctl.data.sources.written import Written
from nnctl.errors import DataError
from nnctl.spec import ByType

AnySource = Annotated[
    Csv | Tsv | Parquet | JsonLines | Npy | Npz | Idx | ImageFolder | ImageManifest | Inline | Generated,
    ByType(),
]

SUFFIXES: dict[str, type[Csv | Tsv | Parquet | JsonLines | Npy | Npz | Idx]] = {
    ".csv": Csv,
    ".tsv": Tsv,
    ".tab": Tsv,
    ".parquet": Parquet,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".npy": Npy,
    ".npz": Npz,
    ".idx": Idx,
}

__all__ = ["SUFFIXES", "AnySource", "Arrays", "ImageFolder", "ImageManifest", "Source", "source_of"]


def source_of(path: str, like: Source | None = None) -> Source:
    """The source a path on the command line means, told by its ending; `-` is CSV.

    Args:
        path: of the file; `.gz` is looked through. A folder, or an image, is images.
        like: the source the model was trained on. An ending that is its own or says nothing means its format. Where
            the format is the same, its separator, header and the like are taken over; how cells are written is
            in any case.

    Raises:
        DataError: for an ending that says nothing.
    """
    name, suffix = _name_and_ending(path)
    if Path(path).is_dir() or suffix in IMAGE_SUFFIXES:
        return _images(path, like)
    form = Csv if path == "-" else Idx if name.endswith("-ubyte") else SUFFIXES.get(suffix)
    if isinstance(like, Csv | Tsv | JsonLines | Parquet) and (path == "-" or suffix == _name_and_ending(like.path)[1]):
        form = type(like)
    form = form or next((own for own in SUFFIXES.values() if isinstance(like, own)), None)
    if form in (Csv, None) and isinstance(like, ImageManifest):
        return like.model_copy(update={"path": path})
    if form is None:
        raise DataError(
            f"{path}: the format is not known by its ending; {', '.join(SUFFIXES)} are (each also with .gz), "
            "and images in folders are"
        )
    if isinstance(like, form):
        update: dict[str, str | None] = {"path": path}
        if isinstance(like, Npy | Idx):
            update["labels"] = None
        return like.model_copy(update=update)
    return form(path=path, **_cells_like(like, form))


def _cells_like(like: Source | None, form: type[Source]) -> dict[str, Any]:
    """How cells are written, where that is not as usual, for a source of another format."""
    if not isinstance(like, Written) or not issubclass(form, Written):
        return {}
    usual = type(like).model_fields
    keys = ("missing", *Written.unsaid)
    return {key: getattr(like, key) for key in keys if getattr(like, key) != usual[key].get_default()}


def _name_and_ending(path: str) -> tuple[str, str]:
    """The last part of a path and its ending in lower case, without what says that it is compressed."""
    name = PurePath(path).name.removesuffix(".gz")
    return name, PurePath(name).suffix.lower()


def _images(path: str, like: Source | None) -> ImageFolder:
    """A folder of images, or a single one, read as those trained on were."""
    taken = ("size", "color", "fit", "cache_megabytes") if isinstance(like, ImageSource) else ()
    options = {key: getattr(like, key) for key in taken}
    return ImageFolder(path=path, labels="folder" if Path(path).is_dir() else None, **options)
