"""The network's outputs against their targets: probabilities, errors, and the slopes the backward pass starts from."""

from collections.abc import Iterator

import numpy as np

from nnctl.engine.formulas import SIGMOID
from nnctl.engine.parameters import Array
from nnctl.explain.blocks import Equation, Quantity, equation, factor, filled, first, number, total
from nnctl.explain.formulas import constants
from nnctl.explain.naming import Stage
from nnctl.explain.trace import OutputTrace, Trace


class Outputs:
    """An output of the network as its loss sees it: the last stage before it, and the target.

    Attributes:
        error: what its error is called.
        share: what stands before its error, or its slopes, in those of the whole network; "" where that is 1.
    """

    def __init__(self, trace: Trace, output: OutputTrace, stage: Stage) -> None:
        several = len(trace.outputs) > 1
        self.name, self.stage, self.loss, self.target = output.name, stage, output.head.loss, output.target
        self.terms, self.slopes, self.weight = output.terms, output.slopes, output.head.weight
        self.formula = self.loss.formula
        self.error = f"E_{output.name}" if several else "E"
        self.share = f"{factor(self.weight)}*" if self.weight != 1 else ""
        self.value = trace.curve[0].errors[output.name]
        self._probabilities: Array = trace.curve[0].predictions[output.name].reshape(-1)

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
                "t": self.goal(i),
                "p": self.probability(i),
                "k": Quantity(str(len(self)), len(self)),
            },
        )

    def goal(self, i: int) -> Quantity:
        """What output i should be."""
        if self.target is None:
            raise TypeError(f"the target of {self.name} is not known")
        return Quantity(f"target_{self.stage.units[i]}", float(self.target[i]))

    def by_name(self, i: int) -> str:
        """What stands for a formula that is not written out."""
        return f"{self.loss.type}({self.stage.out(i).symbol}, target_{self.stage.units[i]})"

    def errors(self) -> Iterator[Equation]:
        """The error, as a sum over the outputs where it is one."""
        formula = self.formula
        yield from self.probabilities()
        if self.terms is not None:
            parts = [Quantity(f"E_{unit}", float(e)) for unit, e in zip(self.stage.units, self.terms, strict=True)]
            for i in first(len(parts)):
                sides = self.filled(formula.term, i) if formula.term else (self.by_name(i),)
                yield equation(parts[i].symbol, parts[i].value, *sides)
            sides = total([(e,) for e in parts])
        elif formula.total is not None and self.target is not None:
            sides = self.filled(formula.total, int(self.target.argmax()))
        else:
            sides = (f"{self.loss.type}(outputs, targets)",)
        yield equation(self.error, self.value, *sides)

    def slope(self, i: int) -> Quantity:
        """The derivative of its error with respect to output i."""
        return Quantity(f"d{self.error}/d{self.stage.out(i).symbol}", float(self.slopes[i]))

    def slope_sides(self, i: int) -> tuple[str, ...]:
        """The formula of the same, with symbols and with numbers."""
        return self.filled(self.formula.slope, i) if self.formula.slope else (f"slope of {self.by_name(i)}",)
