"""The counter TA: one object, written before it is answered."""

from dataclasses import dataclass
from typing import Any

from counter.commands import ADD, CRASH, MAXIMUM, READ, Add, Nothing, Value
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import Params
from tee_sim.shared.ta_api import CommandApp, TaEnv

_OBJECT = b"counter"


@dataclass(slots=True)
class _Session:
    calls: int = 0


class CounterApp(CommandApp):
    """Counts in steps. The value survives reboot; a step that would overflow is refused."""

    def create(self, env: TaEnv) -> None:
        """Bind the commands."""
        self._store = env.store
        self.handle(ADD, self._add)
        self.handle(READ, self._read)
        self.handle(CRASH, self._crash)

    def open_session(self, params: Params) -> object:
        """Each session counts its own calls."""
        super().open_session(params)
        return _Session()

    def _stored(self) -> int:
        stored = self._store.find(_OBJECT)
        return 0 if stored is None else int.from_bytes(stored.body, "big")

    def _add(self, session: _Session, request: Add) -> Value:
        session.calls += 1
        value = self._stored() + request.step
        if value > MAXIMUM:
            raise TeeError(TeeResult.OVERFLOW, "the counter is full", origin=Origin.TRUSTED_APP)
        with self._store.transaction() as transaction:
            transaction.put(_OBJECT, value.to_bytes(8, "big"), kind="counter")
        return Value(value=value, calls=session.calls)

    def _read(self, session: _Session, _request: Nothing) -> Value:
        session.calls += 1
        return Value(value=self._stored(), calls=session.calls)

    def _crash(self, _session: Any, _request: Nothing) -> Value:
        raise ZeroDivisionError
