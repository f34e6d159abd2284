"""`dataclass` whose methods are made when they are first called: a start makes hundreds of classes and uses a few.

    from tee_sim.shared.dataclass import dataclass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Answer: ...

The classes are those of `dataclasses`, field by field and method by method (tests/tee_sim/test_dataclass.py). Those
compile six functions for a frozen class, 0.35 ms; here a class that nobody makes an instance of costs 0.03 ms, and of
the others `__init__` alone is compiled: the rest knows the names of the fields.

A class made here and one made by `dataclasses` cannot inherit from each other if they are frozen.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - for type checkers it is that one
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> object:
        """`dataclasses.dataclass`, with the options `frozen`, `slots`, `kw_only` and `eq`."""
        return _made(cls, **options) if cls is not None else lambda later: _made(later, **options)


def _made(cls: type, *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True) -> type:
    own = set(vars(cls)) - ({"__hash__"} if "__eq__" in vars(cls) and cls.__hash__ is None else set())
    if not cls.__doc__:
        cls.__doc__ = cls.__name__  # or a signature would be made for it
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    methods = ["__init__", "__repr__", *(["__eq__"] if eq else []), *(["__hash__"] if eq and frozen else [])]
    for name in methods:
        if name not in own:
            setattr(made, name, _FIRST[name])
    if eq and not frozen and "__hash__" not in own:
        made.__hash__ = None
    if frozen:
        made.__setattr__, made.__delattr__ = _refuse_set, _refuse_delete
        if slots:
            made.__getstate__, made.__setstate__ = _state, _set_state
    return cast("type", made)


def _first(name: str) -> Callable[..., Any]:
    """What stands for a method until it is called; another thread may have made it since it was found here."""

    def method(self: object, *args: object, **named: object) -> object:
        owner = next(cls for cls in type(self).mro() if getattr(vars(cls).get(name), "made_late", False))
        made = vars(owner)[name]
        if made is method:
            made = _method(owner, name)
            setattr(owner, name, made)
        return made(self, *args, **named)

    method.__name__ = name
    method.__dict__["made_late"] = True
    return method


_FIRST = {name: _first(name) for name in ("__init__", "__repr__", "__eq__", "__hash__")}


def _method(owner: type, name: str) -> Callable[..., Any]:
    made = _MAKE[name](owner)
    made.__qualname__ = f"{owner.__qualname__}.{name}"
    made.__module__ = owner.__module__
    made.__dict__["made_late"] = True
    return made


def make_methods(*classes: type) -> None:
    """Make the methods of these classes now, which are else made when they are first called."""
    for made in classes:
        for name, late in _FIRST.items():
            if vars(made).get(name) is late:
                setattr(made, name, _method(made, name))


def _init(owner: type) -> Callable[..., None]:
    """The one method that has to be compiled: it takes the fields by their names."""
    frozen, slots = vars(owner).get("__setattr__") is _refuse_set, "__slots__" in vars(owner)
    given: dict[str, object] = {"__set__": object.__setattr__, "__missing__": dataclasses.MISSING}
    taken: dict[bool, list[str]] = {False: [], True: []}
    lines: list[str] = []
    for field in dataclasses.fields(owner):
        name, kept = field.name, f"_default_{field.name}"
        makes = field.default_factory is not dataclasses.MISSING
        defaults = field.default is not dataclasses.MISSING
        given[kept] = field.default_factory if makes else field.default
        if field.init:
            default = "=__missing__" if makes else f"={kept}" if defaults else ""
            taken[bool(field.kw_only)].append(name + default)
            value = f"{kept}() if {name} is __missing__ else {name}" if makes else name
        elif makes or (slots and defaults):
            value = f"{kept}()" if makes else kept
        else:
            continue  # the class has it, or nothing has
        lines.append(f"__set__(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(owner, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(["self", *taken[False], *(["*", *taken[True]] if taken[True] else [])])
    text = f"def __init__({parameters}):\n " + "\n ".join(lines or ["pass"])
    exec(compile(text, "<dataclass>", "exec"), given)  # noqa: S102 - of names of fields, as dataclasses does
    return cast("Callable[..., None]", given["__init__"])


def _values(owner: type, use: Callable[[dataclasses.Field[Any]], bool | None]) -> Callable[[Any], tuple[object, ...]]:
    """The fields of an instance that are used so, as a tuple."""
    names = [field.name for field in dataclasses.fields(owner) if use(field)]
    if len(names) > 1:
        return attrgetter(*names)
    one = attrgetter(*names) if names else None
    return (lambda self: (one(self),)) if one else (lambda _self: ())


def _repr(owner: type) -> Callable[[Any], str]:
    names = [field.name for field in dataclasses.fields(owner) if field.repr]

    @recursive_repr()
    def __repr__(self: Any) -> str:  # noqa: N807
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({shown})"

    return __repr__


def _eq(owner: type) -> Callable[[Any, object], Any]:
    values = _values(owner, lambda field: field.compare)

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(owner: type) -> Callable[[Any], int]:
    values = _values(owner, lambda field: field.compare if field.hash is None else field.hash)

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    return __hash__


_MAKE: dict[str, Callable[[type], Callable[..., Any]]] = {
    "__init__": _init, "__repr__": _repr, "__eq__": _eq, "__hash__": _hash
}  # fmt: skip


def _is_field(self: Any, name: str) -> bool:
    """Or any name, where no subclass of the dataclass could have added one."""
    return "__dataclass_fields__" in vars(type(self)) or name in self.__dataclass_fields__


def _refuse_set(self: Any, name: str, value: object) -> None:
    if _is_field(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _refuse_delete(self: Any, name: str) -> None:
    if _is_field(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
