"""Answer the commands about users: add one, bind a name to one, remove one.

Enforces: who removes or renames a person is that person, or the operator, and the log says which (`erase.remove-user`).
"""

from collections.abc import Callable, Iterator
from hmac import compare_digest
from typing import Any

from bioguard.commands import biometric as commands
from bioguard.commands.status import Done, ReplyStatus
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command, Store


class UserCommands:
    """Commands of one TA about users.

    Args:
        store: writes the log's entries with every transaction.
    """

    def __init__(self, store: Store, vault: Vault, sensors: SensorCommands, policy: PolicyEnforcer) -> None:
        self._store = store
        self._vault = vault
        self._sensors = sensors
        self._policy = policy

    def handlers(self) -> Iterator[tuple[Command[Any, Any], Callable[[Any], Record]]]:
        """The commands to bind."""
        yield commands.ADD_USER, self._add
        yield commands.REMOVE_USER, self._remove
        yield commands.CHECK_LABEL, self._check_label
        yield commands.CHANGE_LABEL, self._change_label

    def _add(self, request: commands.AddUser) -> Done:
        self._vault.add_user(request.user, request.label)
        return Done(status=ReplyStatus.OK)

    def _check_label(self, request: commands.CheckLabel) -> Done:
        same = compare_digest(self._vault.user(request.user).label, request.label)
        return Done(status=ReplyStatus.OK if same else ReplyStatus.WRONG_LABEL)

    def _change_label(self, request: commands.ChangeLabel) -> Done:
        self._policy.identified(request.user, request.token)
        self._vault.change_label(request.user, request.label)
        return Done(status=ReplyStatus.OK)

    def _remove(self, request: commands.RemoveUser) -> Done:
        """Erase a user: records, sensor states and consents (CDD 7.3.10: all identifiable data; POL-16)."""
        # 1. Authorize: the person, or the operator for a forgotten PIN (`erase.remove-user`).
        cause = self._policy.authorize_erasure(request.user, request.leave)
        # 2. Know the user, before a transaction is open.
        self._vault.user(request.user)
        # 3. One commit: half a user would have records that nobody can name, or consents without a person.
        with self._store.transaction() as transaction:
            self._vault.remove_user(transaction, request.user, cause)
            self._sensors.erase(transaction, request.user)
            self._policy.forget(transaction, request.user)
        self._policy.start()  # where it could not be written before, there may be room now
        return Done(status=ReplyStatus.OK)
