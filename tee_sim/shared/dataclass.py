"""`dataclass` whose methods are made when they are first called: a start makes hundreds of classes and uses a few.

    from tee_sim.shared.dataclass import dataclass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Answer: ...

The classes are those of `dataclasses`, field by field and method by method: each method is taken from a class that
`dataclasses.dataclass` makes of the same fields. That compiles six functions for a frozen class, 0.35 ms; here a class
that nobody makes an instance of costs 0.03 ms.

A class made here and one made by `dataclasses` cannot inherit from each other if they are frozen.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - for type checkers it is that one
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> object:
        """`dataclasses.dataclass`, with the options `frozen`, `slots`, `kw_only` and `eq`."""
        return _made(cls, **options) if cls is not None else lambda later: _made(later, **options)


_KINDS = {
    "__init__": {"init": True},
    "__repr__": {"repr": True},
    "__eq__": {"eq": True},
    "__hash__": {"eq": True, "frozen": True},
}
"""Which options make each method, all others being off."""


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
    """What stands for a method until it is called."""

    def method(self: object, *args: object, **named: object) -> object:
        owner = next(cls for cls in type(self).mro() if vars(cls).get(name) is method)
        made = _method(owner, name)
        setattr(owner, name, made)
        return made(self, *args, **named)

    method.__name__ = name
    return method


_FIRST = {name: _first(name) for name in _KINDS}


def _method(owner: type, name: str) -> Callable[..., Any]:
    fields = dataclasses.fields(owner)
    if name == "__init__" and all(f.init and f.default_factory is dataclasses.MISSING for f in fields):
        return _plain_init(owner, fields)
    keys = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
    again = cast("Any", dataclasses.field)
    body = {field.name: again(**{key: getattr(field, key) for key in keys}) for field in fields}
    after = {"__post_init__": owner.__post_init__} if hasattr(owner, "__post_init__") else {}
    body |= {"__doc__": name, "__annotations__": {field.name: object for field in fields}, **after}
    options = {"init": False, "repr": False, "eq": False} | _KINDS[name]
    if name == "__init__":  # it sets fields past a `__setattr__` that refuses, and defaults where there are slots
        options |= {"frozen": vars(owner).get("__setattr__") is _refuse_set, "slots": "__slots__" in vars(owner)}
    made = vars(dataclasses.dataclass(**options)(type(owner.__name__, (), body)))[name]
    made.__qualname__ = f"{owner.__qualname__}.{name}"
    return made  # type: ignore[no-any-return]


def _plain_init(owner: Any, fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., Any]:
    """The most frequent method, in an eighth of the time: `dataclasses` compiles two more with a frozen one."""
    frozen = vars(owner).get("__setattr__") is _refuse_set
    words = {f: f.name + ("" if f.default is dataclasses.MISSING else f"=_default_{f.name}") for f in fields}
    keywords = [words[f] for f in fields if f.kw_only]
    body = [f"__set__(self, {f.name!r}, {f.name})" if frozen else f"self.{f.name} = {f.name}" for f in fields]
    body += ["self.__post_init__()"] if hasattr(owner, "__post_init__") else []
    head = ", ".join(["self", *(words[f] for f in fields if not f.kw_only), *(["*", *keywords] if keywords else [])])
    names: dict[str, Any] = {f"_default_{f.name}": f.default for f in fields} | {"__set__": object.__setattr__}
    exec(f"def __init__({head}):\n " + "\n ".join(body or ["pass"]), names)  # noqa: S102 - names of fields, no values
    made: Callable[..., Any] = names["__init__"]
    made.__qualname__ = f"{owner.__qualname__}.__init__"
    return made


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
