"""Markdown, alone and within a page."""

import pytest

from nnctl.errors import ConfigError
from nnctl.explain.blocks import Equation, Equations, Heading, Paragraph, Table
from nnctl.explain.markdown import inserted, markdown

TEXT = """\
## A

Words.

```text
a = 1
b = 2
```

| x | y |
| --- | --- |
| 1 | 2 |
"""


def test_every_kind_of_block() -> None:
    equations = Equations((Equation("a", ("1",)), Equation("b", ("2",))))
    assert markdown([Heading("A"), Paragraph("Words."), equations, Table(("x", "y"), (("1", "2"),))]) == TEXT


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = "# Title\n\n<!-- explain -->\nold\n<!-- /explain -->\n\nThe rest.\n"
    once = inserted(page, "new\n", "page.md")
    assert once == "# Title\n\n<!-- explain -->\n\nnew\n\n<!-- /explain -->\n\nThe rest.\n"
    assert inserted(once, "new\n", "page.md") == once


@pytest.mark.parametrize(
    "page",
    [
        "no marks\n",
        "<!-- explain -->\nno end\n",
        "<!-- /explain -->\n<!-- explain -->\n",
        "<!-- explain -->\n<!-- /explain -->\n<!-- explain -->\n<!-- /explain -->\n",
    ],
)
def test_a_page_without_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ConfigError, match=r"page\.md: is there already"):
        inserted(page, "new\n", "page.md")
