"""`python -m benchmarks [NAME ...]`, `python -m benchmarks profile CONFIG`, `python -m benchmarks table FILE ...`."""

import argparse
import compileall
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import table
from benchmarks.claims import CLAIMS
from benchmarks.harness import ROOT, as_json, measure
from benchmarks.machine import describe, processors


def main(arguments: Sequence[str]) -> int:
    """Exit code 0: all was measured; 1: a benchmark failed or could not be measured; 2: usage."""
    if arguments[:1] == ["profile"]:
        from benchmarks import profiling  # imports NumPy, which the harness must not

        return profiling.main(arguments[1:])
    if arguments[:1] == ["table"]:
        return join(arguments[1:])
    options = parse(arguments)
    if options.list:
        for claim in CLAIMS:
            sign = "at most" if claim.at_most else "at least"
            print(f"{claim.name:20} {sign:8} {claim.target:<4g}  {claim.work}; {claim.peer}")
        return 0
    compileall.compile_dir(ROOT / "nnctl", quiet=1)  # as pip does when it installs the peers
    machine, results = describe(), []
    for claim in CLAIMS:
        if claim.name in options.names:
            result = measure(claim, options.python, options.repeat, options.threads, quick=options.quick, tell=tell)
            if result.problem:
                tell(f"{claim.name}: {result.problem}")
            results.append(result)
            if options.json:  # after each, since all of them take long
                options.json.write_text(as_json(results, machine))
    rows = [asdict(result) for result in results]
    print(table.heading(machine, rows), table.text(rows), table.markdown(rows), sep="\n\n")
    return int(any(result.problem for result in results))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a measurement."""
    names = [claim.name for claim in CLAIMS]
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure performance claims against peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all, or the start of a name")
    parser.add_argument("--repeat", type=int, default=5, help="times each side is run, in turn (%(default)s)")
    parser.add_argument("--python", default=sys.executable, help="the peers' interpreter, if it is another one")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, processors()}), help="settings to try")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and their targets")
    parser.add_argument("--quick", action="store_true", help="a fraction of the data, to see that a benchmark works")
    options = parser.parse_args(arguments)
    for wanted in options.names:
        if not any(name.startswith(wanted) for name in names):
            parser.error(f"no benchmark is called {wanted!r}; there are {', '.join(names)}")
    options.names = [name for name in names if not options.names or name.startswith(tuple(options.names))]
    return options


def join(files: Sequence[str]) -> int:
    """Print the Markdown table of results from several files; of the same benchmark, the last one."""
    documents = [json.loads(Path(file).read_text()) for file in files]
    held = {result["name"]: result for document in documents for result in document["results"]}
    rows = [held[claim.name] for claim in CLAIMS if claim.name in held]
    print(table.heading(documents[-1]["machine"], rows), table.markdown(rows), sep="\n\n")
    return 0


def tell(message: str) -> None:
    """Progress."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
