"""Directives that draw the protocol's tables from the code, so that no page can say something else.

* ``schema-message:: NAME ...`` the fields of messages, with the schema's own comments;
* ``schema-enum:: MESSAGE.ENUM ...`` the constants of an enum, likewise;
* ``request-states::`` what moves a request from one state to the next.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ledgerx.sdk.states import FINAL_STATES, TRANSITIONS, Cause

__all__ = ["setup"]

SCHEMA = Path(__file__).resolve().parents[2] / "ledgerx" / "api" / "client" / "v0_0_1.proto"
SHARED_NUMBER_MAX = 10

_FIELD = re.compile(r"(?:(optional|repeated) )?([\w.]+) (\w+) = (\d+);\s*(?://\s*(.*))?$")
_CONSTANT = re.compile(r"(\w+) = (\d+);\s*(?://\s*(.*))?$")


class Line(NamedTuple):
    """One field or constant of the schema."""

    label: str
    type: str
    name: str
    number: int
    comment: str


@cache
def blocks() -> dict[str, tuple[str, list[Line]]]:
    """Every message and enum by name (`MessageStatus`, `MessageStatus.Status`): its comment and lines."""
    found: dict[str, tuple[str, list[Line]]] = {}
    path: list[str] = []
    above: list[str] = []
    for raw in SCHEMA.read_text().splitlines():
        text = raw.strip()
        opened = re.match(r"(?:message|enum|oneof) (\w+) \{", text)
        if text.startswith("//"):
            above.append(text.removeprefix("//").strip())
            continue
        if opened:
            path.append(opened[1])
            found[".".join(path)] = (" ".join(above), [])
        elif text == "}":
            path.pop()
        elif path:
            line = _line(text)
            if line:
                found[".".join(path)][1].append(line)
        above = []
    return found


def _line(text: str) -> Line | None:
    field = _FIELD.match(text)
    if field:
        return Line(field[1] or "", field[2], field[3], int(field[4]), field[5] or "")
    constant = _CONSTANT.match(text)
    return Line("", "", constant[1], int(constant[2]), constant[3] or "") if constant else None


class _Table(SphinxDirective):
    """What the three directives share."""

    def inline(self, text: str) -> list[nodes.Node]:
        """A comment's words, with what stands in backquotes as code."""
        return self.state.inline_text(text, self.lineno)[0]

    def table(self, head: list[str], rows: list[list[str]], widths: list[int]) -> nodes.table:
        """A table whose first column is code."""
        table = nodes.table()
        group = nodes.tgroup(cols=len(head))
        table += group
        for width in widths:
            group += nodes.colspec(colwidth=width)
        group += (top := nodes.thead())
        top += self._row(head, first_is_code=False)
        group += (body := nodes.tbody())
        for row in rows:
            body += self._row(row, first_is_code=True)
        return table

    def _row(self, cells: list[str], *, first_is_code: bool) -> nodes.row:
        row = nodes.row()
        for index, cell in enumerate(cells):
            paragraph = nodes.paragraph()
            if index == 0 and first_is_code:
                paragraph += nodes.literal(text=cell)
            else:
                paragraph += self.inline(cell)
            entry = nodes.entry()
            entry += paragraph
            row += entry
        return row

    def lookup(self, name: str) -> tuple[str, list[Line]]:
        """The block of that name, or an error at the directive."""
        if name not in blocks():
            raise self.error(f"the schema has no {name}")
        return blocks()[name]


class SchemaMessage(_Table):
    """The fields that belong to each message named."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """One heading line and one table a message."""
        made: list[nodes.Node] = []
        for name in self.arguments[0].split():
            comment, lines = self.lookup(name)
            shared = SHARED_NUMBER_MAX if any(line.name == "mversion" for line in lines) else 0
            own = [line for line in lines if line.number > shared]
            heading = nodes.paragraph(ids=[nodes.make_id(name)])
            heading += nodes.strong(text=name)
            if comment and not comment.startswith("---"):
                heading += [nodes.Text(" – "), *self.inline(comment)]
            made.append(heading)
            if own:
                rows = [[line.name, f"{line.label} {line.type}".strip(), line.comment] for line in own]
                made.append(self.table(["field", "type", ""], rows, [25, 20, 55]))
        return made


class SchemaEnum(_Table):
    """The constants of each enum named."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """One table an enum."""
        made: list[nodes.Node] = []
        for name in self.arguments[0].split():
            rows = [[line.name, str(line.number), line.comment] for line in self.lookup(name)[1]]
            made.append(self.table(["constant", "number", ""], rows, [35, 10, 55]))
        return made


class RequestStates(_Table):
    """The one table of transitions, as a table: states down, what happens across."""

    def run(self) -> list[nodes.Node]:
        """A row for each state that can be left."""
        rows = []
        for state, moves in TRANSITIONS.items():
            if state not in FINAL_STATES:
                reached = [moves[cause].name if cause in moves else "" for cause in Cause]
                rows.append([state.name, *reached])
        head = ["state", *(cause.value for cause in Cause)]
        return [self.table(head, rows, [100 // len(head)] * len(head))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directives known to Sphinx."""
    app.add_directive("schema-message", SchemaMessage)
    app.add_directive("schema-enum", SchemaEnum)
    app.add_directive("request-states", RequestStates)
    return {"parallel_read_safe": True}
