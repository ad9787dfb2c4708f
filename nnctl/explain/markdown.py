"""An explanation as Markdown, in a file of its own or between two marks of a page."""

from nnctl.errors import ConfigError
from nnctl.explain.blocks import Block, Equations, Heading, Paragraph, Table

#: What stands between these lines of a page is replaced, and the rest of it kept.
BEGIN, END = "<!-- explain -->", "<!-- /explain -->"


def markdown(blocks: list[Block]) -> str:
    """The blocks as Markdown; equations in code blocks, so that they stay below each other."""
    return "\n\n".join(map(_written, blocks)) + "\n"


def inserted(page: str, text: str, name: str) -> str:
    """A page with the text between its marks.

    Raises:
        ConfigError: where the page has not one pair of marks.
    """
    newline = "\r\n" if "\r\n" in page else "\n"
    head, begin, rest = page.partition(BEGIN + newline)
    _, end, tail = rest.partition(END + newline)
    if not (begin and end) or BEGIN in tail:
        raise ConfigError(
            f"{name}: is there already, without one line {BEGIN!r} and, below it, one line {END!r} to write between; "
            "name another file, or add them"
        )
    return "".join([head, begin, f"\n{text}\n".replace("\n", newline), end, tail])


def _written(block: Block) -> str:
    match block:
        case Heading():
            return f"## {block.text}"
        case Paragraph():
            return block.text
        case Equations():
            return "\n".join(["```text", *block.lines(), "```"])
        case Table():
            rule = ["---"] * len(block.columns)
            return "\n".join("| " + " | ".join(row) + " |" for row in (block.columns, rule, *block.rows))
