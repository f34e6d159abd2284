"""An allow-list over the syntax of the trusted code: what it imports, and what it may not even name.

A deny-list of bad modules is easily walked around; here everything not listed is a finding. Data-driven tricks inside
an allowed library stay possible: that is why the kernel filter, and not this scan, carries the claim.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

ALLOWED_ROOTS = frozenset(
    {
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "enum",
    }
    | {"functools", "hashlib", "hmac", "heapq", "itertools", "json", "math", "operator", "re", "secrets"}
    | {"struct", "tomllib", "types", "typing", "uuid", "pkgutil"}
    | {"numpy", "nacl", "cbor2", "cryptography", "bioguard", "tee_sim"}
)
"""Top-level modules that trusted code may import: pure standard library, arrays, cryptography, and ourselves."""
IN_PART = {"pkgutil": "get_data"}
"""Of these the one function named: the data beside a measured module. `pkgutil.resolve_name` imports any module."""
EXCEPTIONS = {
    ("bioguard.match.kernels", "import of os"): "reads one environment variable that chooses the kernel; opens nothing",
    ("bioguard.match.arrays", "attribute ctypes"): "numpy's address of an array, to align rows; loads nothing",
    ("bioguard.match.native_codes", "attribute ctypes"): "numpy's address of an array, to align rows; loads nothing",
}
"""Findings that were looked at, each with its reason. They are listed in the evidence."""
FORBIDDEN_MODULES = frozenset({"cryptography.x509", "numpy.ctypeslib", "numpy.lib.npyio"})
FORBIDDEN_NAMES = frozenset({"eval", "exec", "compile", "__import__", "open", "input", "breakpoint", "globals", "vars"})
FORBIDDEN_ATTRIBUTES = frozenset(
    {"__subclasses__", "__globals__", "__builtins__", "__code__", "__loader__", "__mro__", "ctypes", "modules"}
    | {"tofile", "fromfile", "memmap", "loadtxt", "savetxt", "genfromtxt"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not on the list."""

    module: str
    line: int
    what: str


def scan_source(module: str, source: str) -> list[Finding]:
    """Everything in one module that the allow-list does not cover."""
    found: list[Finding] = []

    def add(node: ast.AST, what: str) -> None:
        found.append(Finding(module, getattr(node, "lineno", 0), what))

    tree = ast.parse(source)
    for used in uses_beside(tree, IN_PART):
        add(used, f"use of {used.id} beside {used.id}.{IN_PART[used.id]}")
    for node in ast.walk(tree):
        for name in _imported(node):
            if name.split(".")[0] not in ALLOWED_ROOTS or any(
                name == bad or name.startswith(bad + ".") for bad in FORBIDDEN_MODULES
            ):
                add(node, f"import of {name}")
        for name in _imported_in_part(node):
            add(node, f"import of {name}")
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
            add(node, f"name {node.id}")
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES | IN_PART.keys():
            add(node, f"attribute {node.attr}")
    return found


def uses_beside(tree: ast.AST, in_part: Mapping[str, str]) -> list[ast.Name]:
    """Where a module is named other than for the one function of it that is allowed."""
    nodes = list(ast.walk(tree))
    permitted = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and in_part.get(node.value.id) == node.attr
    }
    return [n for n in nodes if isinstance(n, ast.Name) and n.id in in_part and id(n) not in permitted]


def _imported_in_part(node: ast.AST) -> list[str]:
    """What is taken of a module that is allowed in part, other than the part; under another name it is not followed.

    Nor is the module taken out of another one, which has imported it.
    """
    if isinstance(node, ast.Import):
        return [f"{alias.name} as {alias.asname}" for alias in node.names if alias.name in IN_PART and alias.asname]
    if isinstance(node, ast.ImportFrom):
        part = IN_PART.get(node.module or "")
        return [
            f"{node.module}.{alias.name}"
            for alias in node.names
            if alias.name in IN_PART or (part and alias.name != part)
        ]
    return []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.level or node.module is None:
            return ["."]
        return [node.module]
    return []
