"""The network's outputs against their targets: probabilities, errors, and the slopes the backward pass starts from."""

from collections.abc import Iterator

import numpy as np

from nnctl.engine.formulas import SIGMOID
from nnctl.engine.parameters import Array
from nnctl.explain.blocks import Equation, Quantity, equation, filled, first, number, total
from nnctl.explain.formulas import constants
from nnctl.explain.naming import Stage
from nnctl.explain.trace import Trace


class Outputs:
    """The last stage as the loss sees it."""

    def __init__(self, trace: Trace, stage: Stage) -> None:
        self.stage, self.loss, self.target = stage, trace.loss, trace.target
        self.formula = trace.loss.formula
        self.slopes: Array = trace.layers[-1].dy
        self._probabilities: Array = trace.curve[0].prediction.reshape(-1)

    def __len__(self) -> int:
        return len(self.stage.units)

    def probability(self, i: int) -> Quantity:
        """What an output means, where the loss says that it is the logit of a probability; the output otherwise."""
        if self.formula.probability is None:
            return self.stage.out(i)
        return Quantity(f"p_{self.stage.units[i]}", float(self._probabilities[i]))

    def probabilities(self) -> Iterator[Equation]:
        """How probabilities follow from the outputs."""
        if self.formula.probability is None:
            return
        outputs = [self.stage.out(i) for i in range(len(self))]
        exponentials = [(Quantity(f"exp({z.symbol})", float(np.exp(z.value))),) for z in outputs]
        for i in first(len(self)):
            p, z = self.probability(i), outputs[i]
            if self.formula.probability == "sigmoid":
                yield equation(p.symbol, p.value, *filled(SIGMOID, {"x": z}))
            else:
                symbols, numbers = total(exponentials)
                yield equation(
                    p.symbol,
                    p.value,
                    f"exp({z.symbol})/({symbols})",
                    f"{number(exponentials[i][0].value)}/({numbers})",
                )

    def meaning(self, i: int) -> str:
        """The symbol of what output i means."""
        if self.formula.probability is None and self._probabilities[i] != self.stage.out(i).value:
            return f"prediction_{self.stage.units[i]}"
        return self.probability(i).symbol

    def filled(self, template: str, i: int) -> tuple[str, str]:
        """A formula of the loss for output i, with symbols and with numbers."""
        return filled(
            template.replace("/{k}", "") if len(self) == 1 else template,
            {
                **constants(self.loss),
                "o": self.stage.out(i),
                "t": Quantity(f"target_{self.stage.units[i]}", float(self.target[i])),
                "p": self.probability(i),
                "k": Quantity(str(len(self)), len(self)),
            },
        )

    def by_name(self, i: int) -> str:
        """What stands for a formula that is not written out."""
        return f"{self.loss.type}({self.stage.out(i).symbol}, target_{self.stage.units[i]})"

    def slope(self, i: int) -> Equation:
        """The derivative of the error with respect to output i."""
        sides = self.filled(self.formula.slope, i) if self.formula.slope else (f"slope of {self.by_name(i)}",)
        return equation(f"dE/d{self.stage.out(i).symbol}", float(self.slopes[i]), *sides)
