"""The users of a device by name: `names.json`, held against the labels that the secure world keeps."""

import secrets
from collections import Counter
from typing import Protocol, TypeVar

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import Status
from bioguard.device.errors import from_status
from bioguard.device.names import NamedUser, Names, check_name
from tee_sim.schema import Record
from tee_sim.ta_api import Command

__all__ = ["People"]

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class Caller(Protocol):
    """`Device.call`."""

    def __call__(self, command: Command[Q, A], request: Q) -> A: ...


class People:
    """Names to handles and back.

    Raises, from everything that looks a name up: IntegrityFailure if the file gives a name to somebody else.
    """

    def __init__(self, names: Names, call: Caller) -> None:
        self._names = names
        self._call = call
        self._answers: dict[str, Status] = {}

    def listed(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._names.users)

    def handle(self, name: str) -> bytes:
        """The 16 bytes that stand for a user in the secure world. Raises InputRefused for an unknown name."""
        name = check_name(name)
        user = self._names.users.get(name)
        if user is None:
            raise from_status(Status.UNKNOWN_USER, repr(name))
        if self._answer(name) is Status.WRONG_LABEL:
            raise from_status(Status.WRONG_LABEL, repr(name))
        return user.handle

    def name_of(self, handle: bytes) -> str | None:
        """The name of a user; None for one this file does not know."""
        name = next(iter(self._names.names_of(handle)), None)
        if name is not None and self._answer(name) is Status.WRONG_LABEL:
            raise from_status(Status.WRONG_LABEL, repr(name))
        return name

    def _answer(self, name: str) -> Status:
        """What the secure world says of a name in the file; asked once for each."""
        if name not in self._answers:
            user = self._names.users[name]
            request = commands.CheckLabel(user=user.handle, label=user.label(name))
            self._answers[name] = self._call(commands.CHECK_LABEL, request).status
        return self._answers[name]

    def add(self, name: str) -> None:
        """Add a user. Raises InputRefused for what is not a name, NotPermitted for one that is taken."""
        name = check_name(name)
        if name in self._names.users:
            raise from_status(Status.USER_EXISTS, repr(name))
        user = NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))
        status = self._call(commands.ADD_USER, commands.AddUser(user=user.handle, label=user.label(name))).status
        if status is not Status.OK:
            raise from_status(status)
        self._names.users[name] = user
        self._names.save()

    def rename(self, name: str, new: str, token: bytes) -> None:
        """Give a user another name. Both are in the file until the secure world has decided between them (`settle`)."""
        handle, new = self.handle(name), check_name(new)
        if new in self._names.users:
            raise from_status(Status.USER_EXISTS, repr(new))
        user = NamedUser(handle=handle, salt=secrets.token_bytes(16))
        self._names.users[new] = user
        self._names.save()
        request = commands.ChangeLabel(user=handle, label=user.label(new), token=token)
        status = self._call(commands.CHANGE_LABEL, request).status
        self.settle()
        if status is not Status.OK:
            raise from_status(status, repr(name))

    def settle(self) -> None:
        """Of two names of one user, left by a change of name, keep the one that the secure world knows."""
        self._answers.clear()
        count = Counter(user.handle for user in self._names.users.values())
        both = [name for name, user in self._names.users.items() if count[user.handle] > 1]
        wrong = [name for name in both if self._answer(name) is Status.WRONG_LABEL]
        for name in wrong:
            del self._names.users[name]
        if wrong:
            self._names.save()

    def forget(self, name: str) -> None:
        """Take a name out of the file."""
        del self._names.users[check_name(name)]
        self._answers.clear()
        self._names.save()
