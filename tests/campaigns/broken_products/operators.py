"""How a product is broken: operators over its own source, each of which must find exactly what it changes.

    without("src/bioguard/trusted/policy/handlers.py", "grant", "if not request.of_age")

An operator that finds nothing, or more than one thing, raises `Stale`: the product has changed and the break is to be
written anew. That is an error of the campaign, never a kill.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Span = tuple[int, int, str]
"""From, to (bytes of the source) and what stands there instead."""
Find = Callable[[ast.Module, bytes], list[Span]]


class Stale(Exception):
    """The source no longer has what this break changes."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file.

    Attributes:
        file: below the checkout.
        operator: its word in the list.
        find: the changed spans of the parsed file.
    """

    file: str
    operator: str
    find: Find

    def apply(self, source: str) -> str:
        """The changed source. Raises Stale."""
        raw = source.encode("utf-8")
        spans = sorted(self.find(ast.parse(source), raw))
        for start, end, text in reversed(spans):
            raw = raw[:start] + text.encode("utf-8") + raw[end:]
        changed = raw.decode("utf-8")
        if changed == source:
            raise Stale(f"{self.file}: {self.operator} changes nothing")
        return changed


def _offset(raw: bytes, line: int, column: int) -> int:
    """Of a place in the tree; columns there count bytes."""
    return sum(len(row) for row in raw.splitlines(keepends=True)[: line - 1]) + column


def _span(raw: bytes, node: ast.stmt | ast.expr) -> tuple[int, int]:
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        raise Stale("a node without an end")
    return _offset(raw, node.lineno, node.col_offset), _offset(raw, end_line, end_column)


def _place(tree: ast.Module, path: str) -> ast.AST:
    """The function or class at a dotted path of names; the module for an empty one. Raises Stale."""
    here: ast.AST = tree
    for name in path.split(".") if path else []:
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        found = [node for node in ast.walk(here) if isinstance(node, kinds) and node.name == name and node is not here]
        if not found:
            raise Stale(f"no {path}")
        here = found[0]
    return here


def _only(found: Sequence[ast.stmt | ast.expr], what: str) -> ast.stmt | ast.expr:
    if len(found) != 1:
        raise Stale(f"{len(found)} of {what!r}, not one")
    return found[0]


def _function(tree: ast.Module, path: str) -> ast.FunctionDef:
    node = _place(tree, path)
    if not isinstance(node, ast.FunctionDef):
        raise Stale(f"{path} is no function")
    return node


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    """Without the docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.body[1:] if documented and len(function.body) > 1 else function.body


def _indented(text: str, column: int) -> str:
    return text.replace("\n", "\n" + " " * column)


def without(file: str, place: str, start: str) -> Edit:
    """Drop the one statement that starts with this text: a check, a call, a wipe."""

    def find(tree: ast.Module, raw: bytes) -> list[Span]:
        here = _place(tree, place)
        every = [s for s in ast.walk(here) if isinstance(s, ast.stmt) and s is not here]
        found = _only([s for s in every if ast.unparse(s).startswith(start)], start)
        return [(*_span(raw, found), "pass")]

    return Edit(file, "drop", find)


def instead(file: str, place: str, old: str, new: str) -> Edit:
    """Another expression in place of the one that reads like `old`: a wider bound, a negated test, a weaker key."""
    wanted = ast.unparse(ast.parse(old, mode="eval").body)

    def find(tree: ast.Module, raw: bytes) -> list[Span]:
        here = _place(tree, place)
        found = _only([e for e in ast.walk(here) if isinstance(e, ast.expr) and ast.unparse(e) == wanted], old)
        return [(*_span(raw, found), f"({new})")]

    return Edit(file, "replace", find)


def answers(file: str, place: str, code: str) -> Edit:
    """A function whose whole body is this code."""

    def find(tree: ast.Module, raw: bytes) -> list[Span]:
        body = _body(_function(tree, place))
        start, end = _span(raw, body[0])[0], _span(raw, body[-1])[1]
        return [(start, end, _indented(code, body[0].col_offset))]

    return Edit(file, "answer", find)


def begins(file: str, place: str, code: str) -> Edit:
    """Something more at the start of a function: a copy kept, a value logged, a byte sent."""

    def find(tree: ast.Module, raw: bytes) -> list[Span]:
        first = _body(_function(tree, place))[0]
        start, _ = _span(raw, first)
        return [(start, start, _indented(code + "\n", first.col_offset))]

    return Edit(file, "insert", find)


def _returns(node: ast.AST) -> Iterator[ast.Return]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _returns(child)


def before_return(file: str, place: str, code: str) -> Edit:
    """Something more before a function returns, wherever it does."""

    def find(tree: ast.Module, raw: bytes) -> list[Span]:
        found = list(_returns(_function(tree, place)))
        if not found:
            raise Stale(f"{place} returns nothing")
        return [(at := _span(raw, node)[0], at, _indented(code + "\n", node.col_offset)) for node in found]

    return Edit(file, "insert", find)


def value(file: str, name: str, new: str, *, place: str = "") -> Edit:
    """Another value of a constant: a longer term, a lower age."""

    def find(tree: ast.Module, raw: bytes) -> list[Span]:
        here = _place(tree, place)
        if not isinstance(here, ast.Module | ast.ClassDef):
            raise Stale(f"{place} holds no constant")
        found = []
        for node in here.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(t, ast.Name) and t.id == name for t in targets) and getattr(node, "value", None):
                found.append(node.value)  # type: ignore[attr-defined]
        return [(*_span(raw, _only(found, name)), new)]

    return Edit(file, "constant", find)


def text(file: str, old: str, new: str) -> Edit:
    """A sentence, or what has no node of its own, by hand."""

    def find(_tree: ast.Module, raw: bytes) -> list[Span]:
        before = old.encode("utf-8")
        if raw.count(before) != 1:
            raise Stale(f"{raw.count(before)} of {old!r}, not one")
        at = raw.index(before)
        return [(at, at + len(before), new)]

    return Edit(file, "text", find)


def added(file: str, code: str) -> Edit:
    """Something more at the end of a module."""
    return Edit(file, "add", lambda _tree, raw: [(len(raw), len(raw), f"\n\n{code}\n")])


def changes(root: Path, edits: Sequence[Edit]) -> tuple[tuple[str, str, str], ...]:
    """Whole files before and after, as `tests.broken_build.Change`. Raises Stale."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for edit in edits:
        path = root / edit.file
        if not path.is_file():
            raise Stale(f"no {edit.file}")
        before.setdefault(edit.file, path.read_text("utf-8"))
        after[edit.file] = edit.apply(after.get(edit.file, before[edit.file]))
    for file, source in after.items():
        try:
            ast.parse(source)
        except SyntaxError as error:
            raise Stale(f"{file}: {error}") from None
    return tuple((file, before[file], after[file]) for file in after)
