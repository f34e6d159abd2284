"""Find in the sources of an application what would end its start or its run in the locked world, with the line."""

import ast
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tee_sim.cli.calls import useless_calls
from tee_sim.cli.imports import import_problem, loaded_late, wanted_by
from tee_sim.cli.named_commands import commands_of
from tee_sim.normal.machine.applications import Application
from tee_sim.secure.code_folders import CodeFolders
from tee_sim.secure.codeload import CodeTable, ForeignFileError
from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Replies
from tee_sim.shared.schema import is_closed


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFinding:
    """One problem. `where` is a file, with its line if one is to blame."""

    where: str
    what: str
    hint: str


def findings(application: Application) -> list[CodeFinding]:
    """Every problem of an application whose manifest could be read. A native one that could has none that shows."""
    if application.manifest.native:
        return []
    try:
        folders = CodeFolders([(application.manifest, application.folder_bytes)])
    except ImportError as error:
        return [CodeFinding(where=_key(application, "code"), what=str(error), hint="rename the package")]
    with _first(folders):
        table, found = _read(application)
        found += [] if found else _entry(application, table)
        found += _preloads(application, table)  # first: what they load is not late
        for name in table.modules:
            found += _module(application, table, name)
        found += _early(application)
    return found or _replies(application, table)


@contextmanager
def _first(finder: CodeFolders) -> Iterator[None]:
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _shown(path: str) -> str:
    """A path as it is typed here."""
    with suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path


def _key(application: Application, key: str) -> str:
    """The manifest and the line of a key."""
    lines = application.path.read_text("utf-8").splitlines()
    at = [number for number, line in enumerate(lines, 1) if re.match(rf"\s*{key}\s*=", line)]
    return f"{application.path}:{at[0]}" if at else str(application.path)


def _read(application: Application) -> tuple[CodeTable, list[CodeFinding]]:
    """The code and data that can be read, and what cannot."""
    table, found = CodeTable(), []
    manifest = application.manifest
    parts = [("code", replace(manifest, code=(c,), resources=())) for c in manifest.code]
    parts += [("resources", replace(manifest, code=(), resources=(r,))) for r in manifest.resources]
    for key, part in parts:
        named = (*part.code, *part.resources)[0]
        try:
            table.add(part)
        except SyntaxError as error:
            where = f"{_shown(error.filename or named)}:{error.lineno}"
            found.append(CodeFinding(where=where, what=f"syntax error: {error.msg}", hint="correct this line"))
        except ForeignFileError as error:
            hint = "move the file into the folder of the package that is named"
            found.append(CodeFinding(where=_key(application, key), what=str(error), hint=hint))
        except (OSError, ImportError, ValueError) as error:
            hint = "give the name of a module next to the manifest, or of an installed one"
            why = f"{named} is not found: {error}"
            found.append(CodeFinding(where=_key(application, key), what=why, hint=hint))
    return table, found


def _entry(application: Application, table: CodeTable) -> list[CodeFinding]:
    module, _, name = application.manifest.entry.partition(":")
    where = _key(application, "entry")
    if module not in table.modules:
        hint = f'add "{module}" to code, or correct the entry'
        return [CodeFinding(where=where, what=f"module {module} of the entry is not under code", hint=hint)]
    tree = _tree(table, module)
    if any(isinstance(node, ast.ClassDef) and node.name == name for node in tree.body):
        return []
    if any(isinstance(node, ast.ImportFrom | ast.Assign) for node in tree.body if name in ast.dump(node)):
        return []
    hint = f"classes there: {', '.join(n.name for n in tree.body if isinstance(n, ast.ClassDef)) or 'none'}"
    return [CodeFinding(where=where, what=f"{_shown(table.modules[module].path)} has no class {name}", hint=hint)]


def _tree(table: CodeTable, name: str) -> ast.Module:
    return ast.parse(Path(table.modules[name].path).read_bytes())


def _module(application: Application, table: CodeTable, name: str) -> list[CodeFinding]:
    """What one module imports and calls that it cannot have, in the order of its lines."""
    module, tree, preload = table.modules[name], _tree(table, name), application.manifest.preload
    found = list(useless_calls(tree, {*table.modules, *table.imports, *preload}))
    seen: set[str] = set()
    for node in sorted((n for n in ast.walk(tree) if isinstance(n, ast.stmt)), key=lambda n: n.lineno):
        for wanted, of in wanted_by(node, name, is_package=module.is_package):
            problem = import_problem(table.modules, preload, wanted, of)
            if problem is not None and problem[0] not in seen:
                seen.add(problem[0])
                found.append((node.lineno, *problem))
    for wanted, line in loaded_late(tree, preload):
        what = f"uses {wanted}, which is loaded only when it is used, and the lock kills for that"
        found.append((line, what, f'add "{wanted}" to preload'))
    found.sort(key=lambda problem: problem[0])
    return [CodeFinding(where=f"{_shown(module.path)}:{line}", what=what, hint=hint) for line, what, hint in found]


def _early(application: Application) -> list[CodeFinding]:
    """Code of its own that runs before the lock, in the process that becomes the core."""
    hint = "take it out; with it the level is PARTIAL at most, to be accepted by --allow-level PARTIAL"
    return [
        CodeFinding(
            where=_key(application, "warmup" if name == application.manifest.warmup else "preload"),
            what=f"{name} is code of its own that runs before the lock, where it could change anything",
            hint=hint,
        )
        for name in application.manifest.early_code
    ]


def _preloads(application: Application, table: CodeTable) -> list[CodeFinding]:
    """Names under preload that cannot be imported."""
    found: list[CodeFinding] = []
    for name in application.manifest.preload:
        if name.partition(".")[0] in {n.partition(".")[0] for n in table.modules}:
            continue
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # its own code runs here, and may end in any way
            hint = "install it, or take it out of preload"
            found.append(
                CodeFinding(where=_key(application, "preload"), what=f"{name} cannot be imported: {error}", hint=hint)
            )
    return found


def _replies(application: Application, table: CodeTable) -> list[CodeFinding]:
    """Replies with free bytes or text of an application that promises none; its commands are imported for it."""
    if application.manifest.replies is Replies.FREE:
        return []
    hint = 'bound every field (Fixed, UpTo, Items), or write: replies = "free"'
    found = []
    try:
        commands = commands_of(application)
    except TeeError as error:
        return [CodeFinding(where=str(application.path), what=error.message, hint="correct it")]
    for name, command in commands.items():
        module = table.modules.get(command.reply.__module__)
        where = _class_line(module.path, command.reply.__name__) if module else str(application.path)
        what = f"{command.reply.__name__}, the reply of {name}"
        try:
            if not is_closed(command.reply):
                found.append(CodeFinding(where=where, what=f"{what}, has free bytes or text in it", hint=hint))
        except TypeError as error:
            found.append(CodeFinding(where=where, what=f"{what}, is no record: {error}", hint=hint))
    return found


def _class_line(path: str, name: str) -> str:
    classes = [node for node in ast.walk(ast.parse(Path(path).read_bytes())) if isinstance(node, ast.ClassDef)]
    return f"{_shown(path)}:{next((node.lineno for node in classes if node.name == name), 1)}"
