"""Find the commands that an application shares with its clients, so that they can be called by name.

They are the `tee_sim.shared.ta_api.Command` objects of the module `commands` next to the module of the entry. It is
imported here, in the normal world, as a client would.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tee_sim.cli.refusal import refused
from tee_sim.cli.words import shown_bytes
from tee_sim.normal.machine.applications import Application
from tee_sim.shared.manifest_values import shown
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

_MAX_DIGITS = 68
"""Of 64 bits in binary, with 0b and a sign."""


@contextmanager
def importable(application: Application) -> Iterator[None]:
    """While this lasts the application's packages can be imported, wherever the manifest lies."""
    if application.folder is None:
        yield
        return
    sys.path.insert(0, str(application.folder))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(application.folder))


def commands_of(application: Application) -> dict[str, Command[Any, Any]]:
    """Every command by its name; none if the application has no such module.

    Raises:
        TeeError: BAD_PARAMETERS: the module cannot be imported.
    """
    if application.manifest.native:
        return {}
    package = application.manifest.entry.partition(":")[0].rpartition(".")[0]
    name = f"{package}.commands" if package else "commands"
    with importable(application):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and f"{name}.".startswith(f"{error.name}."):
                return {}
            raise refused(f"{name} cannot be imported: {error}", "install what it needs") from error
        except (Exception, SystemExit) as error:  # sys.exit(0) there would end the command as if all were well
            why = f"{name} cannot be imported: {type(error).__name__}: {error}"
            raise refused(why, "run: tee-sim check PATH") from error
    return {name: value for name, value in vars(module).items() if isinstance(value, Command)}


def command_named(application: Application, name: str) -> Command[Any, Any]:
    """One of them. Raises TeeError BAD_PARAMETERS."""
    known = commands_of(application)
    if name not in known:
        hint = f"its commands are: {', '.join(sorted(known))}" if known else "give a number: it shares no commands"
        raise refused(f"{application.manifest.name} has no command {name!r}", hint)
    return known[name]


def _value(kind: Any, text: str) -> Any:
    """A field's value from its word. Raises ValueError, KeyError, and TeeError for a type that has no words."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        kinds = [k for k in get_args(kind) if k is not type(None)]
        return None if text == "none" and len(kinds) < len(get_args(kind)) else _value(kinds[0], text)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind[text] if text in kind.__members__ else kind(_number(text))
    if kind is bool:
        return {"yes": True, "true": True, "no": False, "false": False}[text]
    readers: dict[Any, Callable[[str], Any]] = {int: _number, str: str, bytes: _bytes}
    if kind not in readers:
        raise refused("a field of this type has no words", "write a client in Python")
    return readers[kind](text)


def _number(text: str) -> int:
    """A number of 64 bits as Python writes it. Raises ValueError."""
    if len(text) > _MAX_DIGITS:
        raise ValueError
    return int(text, 0)


def _bytes(text: str) -> bytes:
    return text.removeprefix("text:").encode() if text.startswith("text:") else bytes.fromhex(text.removeprefix("hex:"))


def request_of(command: Command[Any, Any], words: Sequence[str]) -> Record:
    """The request of a command from words like `step=3`.

    Raises:
        TeeError: BAD_PARAMETERS: a field is missing, unknown or does not take the value.
    """
    hints = get_type_hints(command.request, include_extras=True)
    known = {f.name: f for f in fields(command.request)}
    hint = f"give: {' '.join(f'{name}=...' for name in known)}" if known else "this command takes nothing"
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in known:
            raise refused(f"{command.request.__name__} has no field {name!r}", hint)
        try:
            values[name] = _value(hints[name], text)
        except (ValueError, KeyError):
            raise refused(f"{name}={shown(text)}: no value of this field", hint) from None
    missing = [n for n, f in known.items() if n not in values and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise refused(f"{command.request.__name__} needs {missing[0]}", hint)
    request: Record = command.request(**values)
    return request


def shown_reply(reply: Record) -> list[str]:
    """The fields of a reply, a line each."""
    lines = []
    for field in fields(reply):  # type: ignore[arg-type]  # every record is a dataclass
        value = getattr(reply, field.name)
        text = value.name if isinstance(value, Enum) else shown_bytes(value) if isinstance(value, bytes) else str(value)
        lines.append(f"{field.name} = {text}")
    return lines
