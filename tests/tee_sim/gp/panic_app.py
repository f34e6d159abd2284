"""A trusted application that reads a handle number it is given."""

from typing import Any

from tee_sim.gp_objects import Flag, GpObjects
from tee_sim.shared.params import Param, Params
from tee_sim.shared.ta_api import CommandApp, TaEnv

WRITE, READ_HANDLE, READ = range(3)


class PanicApp(CommandApp):
    def create(self, env: TaEnv) -> None:
        self._objects = GpObjects(env.store)

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        objects = self._objects
        if command == WRITE:
            objects.close(objects.create(b"id", Flag.ACCESS_WRITE, b"kept"))
            return params
        handle = params[0].a if command == READ_HANDLE else objects.open(b"id", Flag.ACCESS_READ)
        data = objects.read(handle, 4)
        objects.close(handle)
        return (params[0], params[1].filled(data), Param.none(), Param.none())
