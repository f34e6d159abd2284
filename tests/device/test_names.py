"""names.json against the secure world: nobody who can write the file can act as somebody else or show them as such."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bioguard.commands.status import ReplyStatus
from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.device.incidents import incidents
from bioguard.device.names import NAMES_FILE, NamedUser, Names
from bioguard.device.user_registry import UserRegistry
from bioguard.errors import BioguardError, IntegrityFailure, TeeUnavailable
from bioguard.records.audit_events import Cause
from bioguard.simulate.people import face_views

FACES = {name: face_views(1, person=i, count=4) for i, name in enumerate(("alice", "bob"))}


@pytest.fixture
def phone(directory: Path) -> Path:
    with Device.init(directory, require_pin=False) as device:
        for name, views in FACES.items():
            device.add_user(name)
            grant_all(device, name, of_age=True)
            device.enroll(name, views[:3])
    return directory


def _edit(directory: Path, change: object) -> None:
    path = directory / NAMES_FILE
    document = json.loads(path.read_text("utf-8"))
    change(document["users"])  # type: ignore[operator]
    path.write_text(json.dumps(document), "utf-8")


def _swap(users: dict[str, list[str]]) -> None:
    users["alice"], users["bob"] = users["bob"], users["alice"]


def _swap_handles(users: dict[str, list[str]]) -> None:
    users["alice"][0], users["bob"][0] = users["bob"][0], users["alice"][0]


def _rename(users: dict[str, list[str]]) -> None:
    users["mallory"] = users.pop("alice")


def _code(call: object) -> str:
    with pytest.raises(BioguardError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("change", [_swap, _swap_handles])
def test_two_people_who_were_exchanged_in_the_file_are_refused(phone: Path, change: object) -> None:
    _edit(phone, change)
    with Device.open(phone) as device:
        for name in FACES:
            assert _code(lambda name=name: device.authenticate(name, FACES["bob"][3])) == "store.names_altered"
            assert _code(lambda name=name: device.erase(name, "00" * 16)) == "store.names_altered"
        assert _code(lambda: device.identify(FACES["bob"][3])) == "store.names_altered"
        assert _code(lambda: list(device.records())) == "store.names_altered"
    assert [(i.code, i.cause) for i in incidents(phone)] == [("store.names_altered", Cause.TAMPERED)]
    _edit(phone, change)
    with Device.open(phone) as device:
        assert device.authenticate("alice", FACES["alice"][3]).match
        assert device.identify(FACES["bob"][3]).user == "bob"


def test_a_name_that_was_changed_in_the_file_is_refused(phone: Path) -> None:
    _edit(phone, _rename)
    with Device.open(phone) as device:
        assert _code(lambda: device.authenticate("mallory", FACES["alice"][3])) == "store.names_altered"
        assert _code(lambda: device.authenticate("alice", FACES["alice"][3])) == "user.unknown"
        assert device.authenticate("bob", FACES["bob"][3]).match


def test_a_name_that_is_gone_from_the_file_is_nobody(phone: Path) -> None:
    _edit(phone, lambda users: users.pop("alice"))
    with Device.open(phone) as device:
        answer = device.identify(FACES["alice"][3])
        assert (answer.match, answer.user) == (True, None)


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_change_of_name_that_is_cut_ends_with_one_name(
    phone: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    real = Device.ask

    def call(self: Device, command: object, request: object, **more: object) -> object:
        if type(request).__name__ == "ChangeLabel":
            if dies == "after":
                real(self, command, request, **more)  # type: ignore[arg-type,type-var]
            raise TeeUnavailable("it died", hint="again")
        return real(self, command, request, **more)  # type: ignore[arg-type,type-var]

    with monkeypatch.context() as during:
        during.setattr(Device, "ask", call)
        with Device.open(phone) as device, pytest.raises(TeeUnavailable):
            device.rename_user("alice", "alicia")
    assert set(Names.load(phone).users) == {"alice", "alicia", "bob"}
    right = "alice" if dies == "before" else "alicia"
    with Device.open(phone) as device:
        assert device.users() == [right, "bob"]
        assert device.authenticate(right, FACES["alice"][3]).match
        assert device.identify(FACES["alice"][3]).user == right


def test_a_refused_change_of_name_leaves_the_old_one(phone: Path) -> None:
    with Device.open(phone) as device:
        assert _code(lambda: device.rename_user("alice", "bob")) == "user.exists"
        assert _code(lambda: device.rename_user("alice", "alicia", token=b"x" * 69)) == "token.refused"
        assert _code(lambda: device.rename_user("alice", "alicia", token="x")) == "request.argument"
        assert device.users() == ["alice", "bob"]
        assert Names.load(phone).users.keys() == {"alice", "bob"}
        assert device.authenticate("alice", FACES["alice"][3]).match


def test_a_label_is_of_salt_and_name() -> None:
    one = NamedUser(handle=bytes(16), salt=bytes(16))
    labels = {one.label("alice"), one.label("bob"), NamedUser(handle=bytes(16), salt=b"s" * 16).label("alice")}
    assert len(labels) == 3
    assert one.label("alice") == NamedUser(handle=b"h" * 16, salt=bytes(16)).label("alice")


def test_an_old_or_malformed_file_is_damage(phone: Path) -> None:
    path = phone / NAMES_FILE
    good = path.read_text("utf-8")
    for bad in (
        lambda users: users.update(alice=users["alice"][0]),
        lambda users: users.update(alice=[users["alice"][0]]),
        lambda users: users.update(alice=[users["alice"][0], "00"]),
        lambda users: users.update(alice=["00", users["alice"][1]]),
    ):
        _edit(phone, bad)
        with pytest.raises(IntegrityFailure, match="is damaged"):
            Names.load(phone)
        path.write_text(good, "utf-8")


def test_a_handle_has_the_name_that_it_has_now_and_who_was_added_is_asked_for_once(tmp_path: Path) -> None:
    names, asked = Names(tmp_path), list[object]()

    def ask(_command: object, request: object, **_named: object) -> SimpleNamespace:
        asked.append(request)
        return SimpleNamespace(status=ReplyStatus.OK)

    registry = UserRegistry(names, ask)  # type: ignore[arg-type]
    registry.add("alice")
    gone = registry.handle("alice")
    assert registry.name_of(gone) == "alice"
    assert len(asked) == 1
    del names.users["alice"]
    registry.add("alice")
    assert registry.name_of(gone) is None
    assert registry.name_of(registry.handle("alice")) == "alice"
    assert len(asked) == 2
