"""Checks inside an application: objects, storage, properties and times, with the core's answers and no lock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tee_sim.secure.hosts.messages import Ask, CoreAnswer, HostRefusal, HostReturn, Panicked
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.native.head import TaHead
from tee_sim.shared.params import Param, operation
from tests.native.api.native import App
from tests.native.host.bare import Bare
from tests.native.host.conftest import TAS, built, needs

LIST, RUN = 0, 1
FILES = ("check_objects.c", "check_storage.c", "check_properties.c")


def names() -> list[str]:
    """Of the checks in these files, a `!` behind those that must panic."""
    found = []
    for file in FILES:
        for line in (TAS / "checks" / file).read_text("ascii").splitlines():
            kind, _, rest = line.partition("(")
            if kind in ("CHECK", "PANICS"):
                found.append(rest.rstrip(")") + "!" * (kind == "PANICS"))
    return found


class Checks:
    """The application, each check in a fresh instance with a fresh store."""

    def __init__(self, runtime: Path, ta: Path) -> None:
        head = TaHead.read(ta.read_bytes())
        self._manifest = Manifest(
            uuid=head.uuid.bytes, name="checks", entry="native:ta", code=(), replies=Replies.FREE, native=ta.name,
            abi=head.abi, flags=head.flags, heap_bytes=head.data_bytes, stack_bytes=head.stack_bytes,
            properties=head.properties,
        )  # fmt: skip
        self.app = App(of=self._manifest)
        self.host = Bare(runtime, ta, answer=self._answer)
        self._instance = 0
        listed = self._call(LIST, 0)
        assert isinstance(listed, HostReturn), listed
        self.known = listed.params[1].buffer.decode().splitlines()

    def _answer(self, asked: Ask) -> CoreAnswer:
        return self.app.answer(asked)

    def _call(self, command: int, number: int) -> object:
        self._instance += 1
        self.app = App(of=self._manifest)
        self.host.create(self._instance)
        opened = self.host.open(self._instance)
        assert isinstance(opened, HostReturn)
        asked = operation(Param.value(number), Param.output(1 << 16))
        done = self.host.invoke(command, asked, instance=self._instance, context=opened.context)
        self.host.destroy(self._instance, panicked=isinstance(done, Panicked))
        return done

    def run(self, name: str) -> object:
        """What the application answers."""
        return self._call(RUN, self.known.index(name))


@pytest.fixture(scope="module", params=["1.3.1", "1.1"])
def checks(request: pytest.FixtureRequest, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checks]:
    needs("gcc", "make")
    choice = "y" if request.param == "1.1" else "n"
    ta = built("checks", tmp_path_factory.mktemp("checks"), f"CFG_TA_OPTEE_CORE_API_COMPAT_1_1={choice}")
    made = Checks(runtime, ta)
    with made.host:
        yield made


@pytest.mark.parametrize("name", names())
def test_a_check_holds(checks: Checks, name: str) -> None:
    done = checks.run(name)
    if name.endswith("!"):
        assert isinstance(done, Panicked), f"it went on: {done}"
        return
    if isinstance(done, HostRefusal):
        pytest.fail(f"{TeeResult(done.result).name}: {done.params[1].buffer.decode() if done.params else ''}")
    assert isinstance(done, HostReturn), "it panicked"
