"""The users of a device by name: `names.json`, held against the labels that the secure world keeps."""

import secrets
from collections import Counter
from collections.abc import Collection

from bioguard.commands import biometric as commands
from bioguard.commands.status import ReplyStatus
from bioguard.device.asking import Asker
from bioguard.device.errors import from_status, raise_for_status
from bioguard.device.lookalikes import check_new_name
from bioguard.device.names import NamedUser, Names, check_name
from bioguard.errors import InputRefused


class UserRegistry:
    """Names to handles and back.

    Raises, from everything that looks a name up: IntegrityFailure if the file gives a name to another user.
    """

    def __init__(self, names: Names, ask: Asker) -> None:
        self._names = names
        self._ask = ask
        self._known: set[str] = set()
        self._named: dict[bytes, str] = {}

    def listed(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._names.users)

    def handle(self, name: str, *, fresh: bool = False, even_if_gone: bool = False) -> bytes:
        """The 16 bytes that stand for a user in the secure world.

        Args:
            fresh: ask the secure world again.
            even_if_gone: a user whom only the file knows, after a removal that was interrupted, is let through.

        Raises:
            InputRefused: a name that the file or the secure world does not know.
        """
        name = check_name(name)
        user = self._names.users.get(name)
        if user is None:
            raise from_status(ReplyStatus.UNKNOWN_USER, repr(name))
        if fresh:
            self._known.discard(name)
        self._check(name, expected=(ReplyStatus.UNKNOWN_USER,) if even_if_gone else ())
        return user.handle

    def name_of(self, handle: bytes) -> str | None:
        """The name of a user; None for one this file does not know."""
        user = self._names.users.get(self._named.get(handle, ""))
        if user is None or user.handle != handle:
            self._named = self._names.by_handle()  # of all at once: to look through them for each would take as long
        name = self._named.get(handle)
        if name is not None:
            self._check(name)
        return name

    def _check(self, name: str, *, expected: Collection[ReplyStatus] = ()) -> ReplyStatus:
        """Hold a name in the file against the secure world, which is asked until it agrees.

        Raises:
            InputRefused, IntegrityFailure: UNKNOWN_USER, WRONG_LABEL, unless expected.
        """
        if name in self._known:
            return ReplyStatus.OK
        user = self._names.users[name]
        request = commands.CheckLabel(user=user.handle, label=user.label(name))
        status = self._ask(commands.CHECK_LABEL, request, about=repr(name), expected=expected).status
        if status is ReplyStatus.OK:
            self._known.add(name)
        return status

    def add(self, name: str) -> None:
        """Add a user. Raises InputRefused for what is no name, NotPermitted for one that is taken or looks like one."""
        name = check_name(name)
        if name in self._names.users:
            raise from_status(ReplyStatus.USER_EXISTS, repr(name))
        check_new_name(name, self._names.users)
        user = NamedUser(handle=secrets.token_bytes(16), salt=secrets.token_bytes(16))
        self._ask(commands.ADD_USER, commands.AddUser(user=user.handle, label=user.label(name)), about=repr(name))
        self._names.users[name] = user
        self._names.save()
        self._known.add(name)  # the secure world has just taken this label

    def rename(self, name: str, new: str, token: bytes) -> None:
        """Give a user another name. Both are in the file until the secure world has decided between them (`settle`)."""
        name, new = check_name(name), check_name(new)
        handle = self.handle(name)
        if new in self._names.users:
            raise from_status(ReplyStatus.USER_EXISTS, repr(new))
        check_new_name(new, (other for other in self._names.users if other != name))
        user = NamedUser(handle=handle, salt=secrets.token_bytes(16))
        self._names.users[new] = user
        self._names.save()
        request = commands.ChangeLabel(user=handle, label=user.label(new), token=token)
        try:
            reply = self._ask(commands.CHANGE_LABEL, request, expected=tuple(ReplyStatus))
        except InputRefused:  # nothing was sent, so the secure world has nothing to decide
            del self._names.users[new]
            self._names.save()
            raise
        self.settle()
        raise_for_status(reply, repr(name))

    def settle(self) -> None:
        """Of two names of one user, left by a change of name, keep the one that the secure world knows."""
        self._known.clear()
        count = Counter(user.handle for user in self._names.users.values())
        both = [name for name, user in self._names.users.items() if count[user.handle] > 1]
        either = (ReplyStatus.WRONG_LABEL, ReplyStatus.UNKNOWN_USER)
        wrong = [name for name in both if self._check(name, expected=either) is ReplyStatus.WRONG_LABEL]
        for name in wrong:
            del self._names.users[name]
        if wrong:
            self._names.save()

    def forget(self, name: str) -> None:
        """Take a name out of the file."""
        del self._names.users[check_name(name)]
        self._known.clear()
        self._names.save()
