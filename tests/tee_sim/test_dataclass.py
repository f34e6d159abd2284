"""`tee_sim.shared.dataclass` makes what `dataclasses` makes, method by method, whichever is asked for first."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from tee_sim.shared import dataclass as quick

T = TypeVar("T")
MAKERS = {"theirs": dataclasses.dataclass, "ours": quick.dataclass}
OPTIONS = [
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {},
]
COMPILED = {"__init__", "__repr__", "__eq__", "__hash__"}


def classes(make: Callable[..., Any], options: dict[str, bool]) -> dict[str, type]:
    """A class of fields of every kind, one that inherits from it, and one with methods of its own."""

    class Plain:
        """Words."""

        LIMIT: ClassVar[int] = 3
        first: int
        second: tuple[int, ...] = dataclasses.field(default=(1, 2), hash=False)
        third: list[int] = dataclasses.field(default_factory=list, compare=False)
        kept: int = dataclasses.field(default=4, init=False, repr=False)

    base = make(**options)(Plain)

    class Further(base):  # type: ignore[misc, valid-type]
        fourth: str = "f"

    class Own(Generic[T]):
        value: int = 1

        def __post_init__(self) -> None:
            if self.value < 0:
                raise ValueError("below 0")

        def __eq__(self, other: object) -> bool:
            return other == self.value

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "own"

    class Simple:
        first: int
        set: object = None
        last: int = dataclasses.field(default=3, kw_only=True)

    class Empty:
        """Nothing."""

    class Equal:  # noqa: PLW1641 - of a frozen one it is made
        value: int = 1

        def __eq__(self, other: object) -> bool:
            return True

    simple, empty = make(**options)(Simple), make(**options)(Empty)
    return {
        "Simple": simple,
        "Empty": empty,
        "Plain": base,
        "Further": make(**options)(Further),
        "Own": make(**options)(Own),
        "Equal": make(**options)(Equal),
    }


def outcome(call: Callable[[], object]) -> object:
    """What it returns, or the error."""
    try:
        result = call()
    except Exception as error:
        return type(error), str(error).replace("_method.<locals>.", "")
    return result if isinstance(result, str | int | tuple | bool | list | None) else type(result).__name__


def set_it(thing: Any, name: str) -> None:
    setattr(thing, name, 5)


def delete_it(thing: Any, name: str) -> None:
    delattr(thing, name)


def story(kinds: dict[str, type]) -> list[object]:
    """Everything that one can do with these classes; errors included."""
    plain, further, own = kinds["Plain"], kinds["Further"], kinds["Own"]
    told: list[object] = [outcome(plain), outcome(lambda: plain(1)), outcome(lambda: plain(frist=1))]
    told += [outcome(lambda: own(value=-1)), outcome(lambda: {own()} and 1)]
    for kind in (plain, further):
        for thing in (kind(first=1), kind(first=2, second=(), third=[3])):
            told += [
                repr(thing), thing == kind(first=1), thing != kind(first=1), thing == 1,
                thing.kept, thing.third, outcome(lambda t=thing: dataclasses.asdict(t) and str(dataclasses.asdict(t))),
                repr(dataclasses.replace(thing, first=9)), repr(copy.copy(thing)), repr(copy.deepcopy(thing)),
                outcome(lambda t=thing: set_it(t, "first")),
                outcome(lambda t=thing: delete_it(t, "second")), outcome(lambda t=thing: t.second),
                [f.name for f in dataclasses.fields(thing)], type(thing).__match_args__, type(thing).__doc__ != "",
            ]  # fmt: skip
        told += [kind.__hash__ is object.__hash__]
        if not hasattr(kind, "__slots__"):  # with them Python 3.11 says something of its own code
            told += [outcome(lambda k=kind: set_it(k(first=1), "further"))]
        told += [
            kind(first=1, third=[3]) == kind(first=1),
            kind(first=1) == plain(first=1),
            plain(first=1) == kind(first=1),
        ]
        itself = kind(first=1)
        itself.third.append(itself)
        told += [repr(itself)]
        if kind.__eq__ is not object.__eq__:
            told += [outcome(lambda k=kind: hash(k(first=1)))]
    simple = kinds["Simple"]
    for given in ({"first": 1}, {"first": 1, "set": 2, "last": 4}, {}, {"first": 1, "further": 2}):
        told += [outcome(lambda g=given: repr(simple(**g)))]
    told += [
        outcome(lambda: repr(simple(1, 2, last=5))),
        outcome(lambda: repr(simple(1, 2, 3))),
        repr(kinds["Empty"]()),
    ]
    told += [repr(own()), own() == 1, own(value=2) == 1, hash(own()), outcome(lambda: set_it(own(), "value"))]
    told += [outcome(lambda: hash(kinds["Equal"]())), plain.__init__.__module__]
    told += [plain.__init__.__qualname__, plain.__init__.__name__, getattr(plain, "__slots__", None)]
    return told


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_they_behave_as_those_of_dataclasses(options: dict[str, bool]) -> None:
    ours, theirs = (story(classes(make, options)) for make in (quick.dataclass, dataclasses.dataclass))
    assert ours == theirs


def test_methods_are_made_when_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    method = quick._method
    monkeypatch.setattr(quick, "_method", lambda owner, name: made.append(name) or method(owner, name))
    kind = classes(quick.dataclass, OPTIONS[0])["Plain"]
    assert made == []
    thing = kind(first=1)
    assert made == ["__init__"]
    assert thing == kind(first=1)
    assert made == ["__init__", "__eq__"]
    assert vars(kind).keys() >= COMPILED


def test_whoever_has_found_a_method_before_it_was_made_can_still_call_it() -> None:
    """As another thread has, that makes its first instance of the same class at this moment."""
    plain = classes(quick.dataclass, OPTIONS[0])["Plain"]
    found: dict[str, Any] = {name: getattr(plain, name) for name in COMPILED}
    one = plain(first=1)
    assert (repr(one), one == plain(first=1), hash(one)) == (repr(one), True, hash(plain(first=1)))
    other = object.__new__(plain)
    found["__init__"](other, first=1)
    assert (found["__repr__"](other), found["__eq__"](other, one), found["__hash__"](other)) == (
        repr(one), True, hash(one)
    )  # fmt: skip


@quick.dataclass(frozen=True, slots=True)
class Pickled:
    number: int = 3


def test_pickles_and_subclasses_without_the_decorator() -> None:
    assert pickle.loads(pickle.dumps(Pickled(5))) == Pickled(5)

    class Named(Pickled):
        def __init__(self, number: int) -> None:
            super().__init__(number)
            self.name = "free"

    named = Named(7)
    assert (named.number, named.name) == (7, "free")
    with pytest.raises(dataclasses.FrozenInstanceError):
        named.number = 8  # type: ignore[misc]


def test_methods_can_be_made_before_they_are_called_and_are_the_same_then() -> None:
    @quick.dataclass
    class Early:
        one: int
        two: bytes = b"2"

    names = ("__init__", "__repr__", "__eq__")
    quick.make_methods(Early)
    made = {name: vars(Early)[name] for name in names}
    assert (Early(1), repr(Early(1))) == (Early(1, b"2"), repr(Early(1, b"2")))
    assert made == {name: vars(Early)[name] for name in names}, "nothing was left to be made"
    quick.make_methods(Early)
    assert made == {name: vars(Early)[name] for name in names}
