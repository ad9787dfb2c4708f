"""Used cars: a table with numbers and categories, and a drawing of each."""

import struct
import zlib
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.data.generators.base import Generator
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream

HEIGHT, WIDTH = 16, 24
REGIONS, REGION_EFFECT = np.array(["east", "north", "south", "west"]), np.array([0.5, -1.0, 1.0, -0.5])
FUELS, FUEL_EFFECT = np.array(["diesel", "electric", "petrol"]), np.array([-1.0, 1.0, 0.0])
#: Red, green and blue of a body, and how people like it: black, blue, red, silver, white.
COLOURS = np.array([[30, 30, 35], [40, 70, 190], [200, 30, 40], [165, 170, 175], [240, 240, 235]])
COLOUR_EFFECT = np.array([1.5, 0.75, -1.5, 0.0, -0.75])
#: The cabin of a coupe, an estate, a hatchback and a saloon: top row, first column, last column; and the body's worth.
CABINS = ((6, 9, 15), (4, 6, 21), (4, 6, 14), (5, 8, 17))
WORTH = np.array([1.6, 1.2, 0.7, 1.0])


class Cars(Generator):
    """Used cars, each with a drawing: the table knows age and engine, only the picture shows body and colour.

        price = (3 + 25 exp(-age / 8) + power / 15 - mileage / 40) * body * (1 + n)        in thousands
        sold = yes where colour + region + fuel + (80 - mileage) / 60 + 3 n > 0

    with mileage in thousands, age = 2024 - year, and numbers for the body (coupe, estate, hatchback or saloon),
    the colour, the region and the fuel. One price in ten and one `sold` in eight are not known. Columns year,
    mileage, power, region, fuel, picture (a path), price, sold. The drawings are 24 by 16 pixels; a car stands
    somewhere, before some brightness.

    ```yaml
    {type: cars, size: 800, noise: 0.05, seed: 1}
    ```
    """

    has_files: ClassVar[bool] = True

    type: Literal["cars"] = "cars"
    size: int = Field(800, ge=1, description="Number of rows.")
    noise: float = Field(0.05, ge=0, description="Standard deviation of the noise; 0 for none.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        n = self.size
        body, colour = self.looks()
        year = random.integers(2005, 2025, n)
        mileage = np.round((2024.5 - year) * random.uniform(4, 16, n), 1)
        power, region = random.integers(50, 201, n), random.integers(len(REGIONS), size=n)
        fuel = random.integers(len(FUELS), size=n)
        price = 3 + 25 * np.exp((year - 2024) / 8) + power / 15 - mileage / 40
        price *= WORTH[body] * (1 + self.noise * random.standard_normal(n))
        z = COLOUR_EFFECT[colour] + REGION_EFFECT[region] + FUEL_EFFECT[fuel] + (80 - mileage) / 60
        sold = z + 3 * self.noise * random.standard_normal(n) > 0
        known = random.uniform(size=(2, n))
        return {
            "year": year,
            "mileage": mileage,
            "power": power,
            "region": REGIONS[region],
            "fuel": FUELS[fuel],
            "picture": np.array(self.paths()),
            "price": np.where(known[0] < 0.1, np.nan, np.round(price, 2)),
            "sold": np.where(known[1] < 0.125, "", np.array(["no", "yes"])[sold.astype(np.int64)]),
        }

    def looks(self) -> tuple[Array, Array]:
        """The number of each car's body and of its colour."""
        random = stream(self.seed, "looks", self.type)
        return random.integers(len(CABINS), size=self.size), random.integers(len(COLOURS), size=self.size)

    def paths(self) -> list[str]:
        """Where each drawing is, from the folder of the table."""
        return [f"pictures/{i:04}.png" for i in range(1, self.size + 1)]

    def files(self) -> dict[str, bytes]:
        random = stream(self.seed, "draw", self.type)
        looks = zip(self.paths(), *self.looks(), strict=True)
        return {path: png(drawn(body, COLOURS[colour], random)) for path, body, colour in looks}


def drawn(body: int, colour: Array, random: np.random.Generator) -> Array:
    """A car from its side, (height, width, 3), as bytes."""
    down, right = random.integers(-1, 2, 2)
    picture = np.full((HEIGHT, WIDTH, 3), random.integers(90, 221), np.int64)

    def fill(top: int, bottom: int, left: int, end: int, paint: Array | tuple[int, int, int]) -> None:
        picture[top + down : bottom + down, left + right : end + right] = paint

    top, left, end = CABINS[body]
    fill(top, 8, left, end, colour)
    fill(top + 1, 8, left + 1, end - 1, (150, 200, 230))
    fill(8, 12, 2, 22, colour)
    for wheel in (5, 16):
        fill(11, 14, wheel, wheel + 3, (15, 15, 15))
    picture += random.integers(-8, 9, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def png(picture: Array) -> bytes:
    """A picture (height, width, 3) of bytes as a PNG file.

    Uncompressed, so that the file is the same with every version of zlib. Source: W3C, "Portable Network Graphics
    Specification" (2003), sections 5 and 11.
    """

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, _ = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in picture)  # 0: each line as it is
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 0)) + chunk(b"IEND", b"")
