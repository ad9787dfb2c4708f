"""Customers, and what they buy: several inputs and two outputs."""

from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.data.generators.base import Generator
from nnctl.engine.parameters import Array

REGIONS, REGION_EFFECT = np.array(["east", "north", "south", "west"]), np.array([0.3, -0.6, 0.6, -0.3])
DEVICES, DEVICE_EFFECT = np.array(["computer", "phone", "tablet"]), np.array([0.7, -0.7, 0.0])


class Purchases(Generator):
    """Visits to a shop: who came, what they bought before, what they looked at; `bought`, and for how much.

        z = (income - 40) / 20 - ((age - 45) / 18)^2 + region      who they are
          + orders / 2 - 1 - days / 180                            what they bought before
          + (pages - 8) / 4 + device                               what they do now
        bought = yes where z + n > 0
        amount = income / 2 + spent / (2 orders) + 2 pages + 10 n  where bought, and empty elsewhere

    Columns age, income (thousands), region; orders, spent, days (since the last order; `spent` / `orders`
    is 0 and `days` is empty without one); pages, minutes, device; bought, amount.

    ```yaml
    {type: purchases, size: 1500, noise: 0.4, seed: 1}
    ```
    """

    type: Literal["purchases"] = "purchases"
    size: int = Field(1500, ge=1, description="Number of rows.")
    noise: float = Field(0.4, ge=0, description="Standard deviation of the noise; 0 for none.")

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        n = self.size
        age, income = random.integers(18, 81, n), np.round(random.uniform(15, 90, n), 1)
        region = random.integers(len(REGIONS), size=n)
        orders = random.integers(0, 9, n)
        each = random.uniform(10, 90, n)
        spent = np.round(orders * each, 2)
        days = random.integers(1, 366, n)
        pages, device = random.integers(1, 17, n), random.integers(len(DEVICES), size=n)
        minutes = np.round(pages * random.uniform(0.5, 2, n), 1)
        z = (
            (income - 40) / 20
            - ((age - 45) / 18) ** 2
            + REGION_EFFECT[region]
            + np.where(orders > 0, orders / 2 - 1 - days / 180, -1)
            + (pages - 8) / 4
            + DEVICE_EFFECT[device]
        )
        bought = z + self.noise * random.standard_normal(n) > 0
        amount = income / 2 + spent / (2 * np.maximum(orders, 1)) + 2 * pages
        amount = np.round(amount + 10 * self.noise * random.standard_normal(n), 2)
        return {
            "age": age,
            "income": income,
            "region": REGIONS[region],
            "orders": orders,
            "spent": spent,
            "days": np.where(orders > 0, days, np.nan),
            "pages": pages,
            "minutes": minutes,
            "device": DEVICES[device],
            "bought": np.array(["no", "yes"])[bought.astype(np.int64)],
            "amount": np.where(bought, amount, np.nan),
        }
