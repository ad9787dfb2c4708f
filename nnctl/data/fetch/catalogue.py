"""The data sets that can be fetched: where they are, and what every file must be.

Sizes and SHA-256 checksums are those of TensorFlow Datasets' lists `url_checksums/{mnist,fashion_mnist,kmnist}.txt`,
recorded from the addresses below.
"""

from pathlib import Path
from typing import NamedTuple

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"


class File(NamedTuple):
    """One file of a data set; whatever has another size or checksum is not it."""

    name: str
    size: int
    sha256: str


class DataSet(NamedTuple):
    """Files of equal names on every mirror; mirrors are tried in order and end in a slash."""

    name: str
    summary: str
    mirrors: tuple[str, ...]
    files: tuple[File, ...]
    config: str | None = None

    @property
    def folder(self) -> Path:
        """Where the experiments of configs/ expect the files."""
        return Path("datasets", self.name)


_ALL = (
    DataSet(
        "mnist",
        "Handwritten digits, 28 by 28 pixels, 10 classes, 60,000 and 10,000 images",
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",  # the original, which often refuses programs
        ),
        (
            File(TRAIN_IMAGES, 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            File(TRAIN_LABELS, 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            File(TEST_IMAGES, 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            File(TEST_LABELS, 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
        "configs/mnist.yaml",
    ),
    DataSet(
        "fashion-mnist",
        "Articles of clothing, in the format of MNIST",
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        (
            File(TRAIN_IMAGES, 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            File(TRAIN_LABELS, 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            File(TEST_IMAGES, 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            File(TEST_LABELS, 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        "configs/fashion-mnist.yaml",
    ),
    DataSet(
        "kuzushiji-mnist",
        "Cursive Japanese characters, in the format of MNIST",
        (
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        (
            File(TRAIN_IMAGES, 18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            File(TRAIN_LABELS, 29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            File(TEST_IMAGES, 3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            File(TEST_LABELS, 5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
    ),
)

CATALOGUE = {data_set.name: data_set for data_set in _ALL}
