"""An application of somebody else, one bug each: no command of ours, its own uuid."""

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Param, ParamType
from tee_sim.shared.ta_api import CommandApp


class Vault(CommandApp):
    """A vault without commands. Holds."""

    def create(self, env) -> None:
        self.env = env


class Parser(Vault):
    """Believes that every message has eight bytes."""

    FINDS = ("any.malformed",)

    def invoke(self, session, command, params):
        if command == 7:
            int.from_bytes(params[0].buffer, "big").to_bytes(8, "big")
        return params


class TypeConfusion(Vault):
    """Does not compare the parameter types."""

    FINDS = ("any.wrong-parameters",)

    def invoke(self, session, command, params):
        if len(params[0].buffer) == 0 and params[0].a:
            raise IndexError("read beyond a buffer")
        return params


class SmallBuffer(Vault):
    """Copies the message into 4 KiB."""

    FINDS = ("any.over-long",)

    def invoke(self, session, command, params):
        if len(params[0].buffer) > 4096:
            raise MemoryError
        return params


class StoresFirst(Vault):
    """Carries a command out before it looks at the room for its answer."""

    FINDS = ("any.short-room",)

    def invoke(self, session, command, params):
        if command == 7 and params[1].kind is ParamType.MEMREF_OUTPUT:
            with self.env.store.transaction() as transaction:
                transaction.put(b"done", b"x", kind="vault")
            return (params[0], params[1].filled(b"done"), Param.none(), Param.none())
        return params


class BelievesLengths(Vault):
    """Answers with as many bytes as the caller says, whatever lies behind its buffer."""

    FINDS = ("any.believed-lengths",)

    def invoke(self, session, command, params):
        memory = bytes(32) + self.env.keys.derive("vault")
        out = params[1].filled(memory[: max(p.b for p in params)]) if params[1].size_bytes else params[1]
        return (params[0], out, Param.none(), Param.none())


class SessionHeader(Vault):
    """Reads a header out of the parameters of a session."""

    FINDS = ("any.session-parameters",)

    def open_session(self, params):
        return params[0].a and params[0].buffer[0]


class TwoWrites(Vault):
    """Makes two objects one after the other, and is lost when only one is there."""

    FINDS = ("any.power-cut",)

    def create(self, env) -> None:
        super().create(env)
        known = [header.object_id for header in env.store.headers()]
        if known == [b"a"]:
            raise AssertionError("half a vault")
        for name in (b"a", b"b") if not known else ():
            with env.store.transaction() as transaction:
                transaction.put(name, b"", kind="vault")


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]


def manifest(variant: str) -> Manifest:
    """The vault's manifest, with this class of it."""
    return Manifest.from_toml(
        f"""
uuid = "6f1c3b52-0000-4000-8000-00000000000a"
name = "vault"
entry = "vulnerable.anything:{variant}"
code = ["vulnerable.anything"]
flags = ["single_instance", "multi_session", "keep_alive"]
"""
    )
