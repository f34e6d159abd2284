"""`NativeApi`: one question of a native application, one answer.

    words    [function, argument, ...]      the function's number, the arguments of its C prototype in order
    answer   [0, result, output, ...]       or [1, code]: the application must panic

A function without a result (void) answers [0, 0, ...].
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

from tee_sim.gp_api import arithmetic, objects, operation_handlers, properties, storage, times
from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.words import Handler, RefusalError
from tee_sim.gp_objects.handles import OpenObjects
from tee_sim.gp_objects.panics import TaPanic, guard
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import BY_NUMBER, Function
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import TaEnv
from tee_sim.shared.wire import NoFrameError

Area = Callable[[Instance], Mapping[Function, Handler]]
"""The functions of one part of the specification, for one instance."""

AREAS: Final[tuple[Area, ...]] = (
    objects.handlers,
    storage.handlers,
    properties.handlers,
    times.handlers,
    arithmetic.handlers,
    operation_handlers.handlers,
)
"""All of them. A function belongs to one."""

RETURNED: Final = 0
PANICKED: Final = 1
"""First word of an answer."""


class NativeApi:
    """The core's side of one instance.

    Args:
        env: its environment; the only things that its questions are about.
        manifest: what was read from its file.
        shared: what the instances of this application have open.
    """

    def __init__(self, env: TaEnv, manifest: Manifest, shared: OpenObjects | None = None) -> None:
        self.instance = Instance(env, manifest, shared)
        self._handlers: dict[Function, Handler] = {}
        for area in AREAS:
            self._handlers.update(area(self.instance))

    def answer(self, words: list[object]) -> list[object]:
        """Answer one question.

        Raises:
            NoFrameError: no function that the core works on, or words that are not its arguments.
        """
        number = words[0] if words else None
        function = BY_NUMBER.get(number) if type(number) is int else None
        handler = None if function is None else self._handlers.get(function)
        if function is None or handler is None or not handler.takes(words[1:]):
            raise NoFrameError("no function of the core, or words that are not its arguments")
        try:
            with guard(function):
                return [RETURNED, int(TeeResult.SUCCESS), *handler.run(*words[1:])]
        except RefusalError as error:
            return [RETURNED, int(error.result), *error.outputs]
        except TeeError as error:
            return [RETURNED, int(error.result)]
        except TaPanic as panic:
            return [PANICKED, int(panic.result)]

    def end(self) -> None:
        """The instance is gone."""
        self.instance.objects.end()


class NativeApis:
    """The functions of all native applications of one world."""

    def __init__(self) -> None:
        self._open: defaultdict[bytes, OpenObjects] = defaultdict(OpenObjects)

    def __call__(self, env: TaEnv, manifest: Manifest) -> NativeApi:
        """Those of a new instance."""
        return NativeApi(env, manifest, self._open[manifest.uuid])
