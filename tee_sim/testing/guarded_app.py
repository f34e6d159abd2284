"""An application in a test's process whose entry points run as if behind the lock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tee_sim.secure.closed_replies import Layouts, layouts_of
from tee_sim.secure.hosts.process import load_entry
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Params
from tee_sim.shared.ta_api import TaEnv, TrustedApp
from tee_sim.testing.forbidden_calls import run_as_locked
from tee_sim.testing.stand_ins import Environment, new_environment


@dataclass(frozen=True, slots=True)
class GuardedApp:
    """`tee_sim.shared.ta_api.TrustedApp`. What it is made of is run as locked, and nothing of the core is."""

    app: TrustedApp
    environment: Environment

    def create(self, env: TaEnv) -> None:
        """As `TrustedApp.create`."""
        self._run(lambda: self.app.create(env))

    def open_session(self, params: Params) -> object:
        """As `TrustedApp.open_session`."""
        return self._run(lambda: self.app.open_session(params))

    def invoke(self, session: object, command: int, params: Params) -> Params:
        """As `TrustedApp.invoke`."""
        answer: Params = self._run(lambda: self.app.invoke(session, command, params))
        return answer

    def close_session(self, session: object) -> None:
        """As `TrustedApp.close_session`."""
        self._run(lambda: self.app.close_session(session))

    def destroy(self) -> None:
        """As `TrustedApp.destroy`."""
        self._run(self.app.destroy)

    @property
    def layouts(self) -> Layouts:
        """Of `tee_sim.secure.closed_replies.layouts_of`."""
        return layouts_of(self.app)

    def _run(self, work: Callable[[], Any]) -> Any:
        return run_as_locked(work, self.environment)


@dataclass(slots=True)
class GuardedEntries:
    """Loads what manifests name, to be run as locked. Each application has an environment, as its process has one."""

    _environments: dict[bytes, Environment] = field(default_factory=dict)

    def __call__(self, manifest: Manifest) -> Callable[[], TrustedApp]:
        """As `tee_sim.secure.hosts.process.load_entry`."""
        environment = self._environments.setdefault(manifest.uuid, new_environment())
        entry = run_as_locked(lambda: load_entry(manifest), environment)
        return lambda: GuardedApp(run_as_locked(entry, environment), environment)

    def forget(self) -> None:
        """Have the next instances begin as new processes do."""
        self._environments.clear()
