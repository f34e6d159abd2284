"""`python -m bench.experiments.route`: what one enrollment and one authentication pass through, counted.

    python -m bench.experiments.route                         # this checkout
    python -m bench.experiments.route --against CHECKOUT      # and another, side by side; kernels built in both

Three touches of one finger are read from ISO/IEC 19794-2:2005 files and enrolled, a fourth is authenticated: through
`bioguard.device`, with the secure world in this process. Frames are packed and read as on the pipes, in both
directions, storage calls too; lock, sandbox and start are left out.

How it is counted, by `sys.setprofile`, from the file on the disk to the answer:

* decodes, encodes: calls of the functions that read or write a canonical CBOR item (`codec.decode`, `codec.encode`);
  a decoder that encodes again to compare counts as both. `library` is every call into cbor2, whoever makes it.
* calls, functions, files: of Python code below `src/bioguard` and `tee_sim`.
* types: classes of ours of which an argument or a result of such a function held the first sample in the clear: its
  canonical bytes, within a byte string of its own; as many rows or items as the sample has minutiae, which nothing else
  here has; or one of those, at most two containers deep.
* transactions: COMMIT requests to the supplicant. RPMB writes: answered data writes of the simulated chip.

It knows modules by path, of this layout and of the one before it (26ccf06), and runs unchanged on both.
"""

import argparse
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, ModuleType, SimpleNamespace
from typing import Any, cast

_ROWS = ("decodes", "encodes", "library", "types", "files", "calls", "functions", "transactions", "rpmb_writes")


def _module(*paths: str) -> ModuleType:
    """The first of these modules that exists."""
    for path in paths:
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(paths[0])


codec = _module("tee_sim.shared.codec", "tee_sim.codec")
wire = _module("tee_sim.shared.wire", "tee_sim.wire")
errors = _module("tee_sim.shared.errors", "tee_sim.errors")
storage_requests = _module("tee_sim.shared.storage_requests", "tee_sim.supplicant.requests")
world = _module("tee_sim.secure.world", "tee_sim.secure")
chip = _module("tee_sim.normal.rpmb_chip.chip", "tee_sim.rpmb.device")
people = _module("bioguard.simulate.people", "bioguard.synthetic")
launch = _module("bioguard.device.launch")
starts = _module("tee_sim.normal.machine.locked_start", "bioguard.device.launch")


_REQUEST = "request" if "request" in wire.StorageCall.__dataclass_fields__ else "payload"
_REPLY = "reply" if "reply" in wire.StorageReply.__dataclass_fields__ else "payload"
"""At 26ccf06 a storage message carried its request as bytes."""


class _SecureWorldHere:
    """Stands for `SecureProcess`: the same messages through the same frames, without pipes, process and lock."""

    def __init__(self, boot: Any, storage: Any, **_: object) -> None:
        self._manifests = boot.manifests
        self._storage = storage
        self.alive = True

    def boot(self, look: Callable[[int, Any], str], provision: Any) -> Any:
        look(0, wire.Locked(report=b"", measurements=tuple(bytes(32) for _ in self._manifests)))
        self._world = world.SecureWorld(provision, self, self._manifests)
        return self._world.ready()

    def exchange(self, message: Any, **_: object) -> Any:
        request = wire.unpack(wire.pack(message)[4:])
        return wire.unpack(wire.pack(self._world.handle(request))[4:])

    def call(self, operation: int, request: Any) -> Any:
        """`SupplicantPort`, with both frames of a storage call."""
        asked = wire.unpack(wire.pack(wire.StorageCall(**{"operation": int(operation), _REQUEST: request}))[4:])
        try:
            done = self._storage.handle(asked.operation, getattr(asked, _REQUEST))
            reply = wire.StorageReply(**{"result": errors.TeeResult.SUCCESS, _REPLY: done})
        except errors.TeeError as error:
            reply = wire.StorageReply(**{"result": error.result, _REPLY: type(request)()})
        answer = wire.unpack(wire.pack(reply)[4:])
        if answer.result is not errors.TeeResult.SUCCESS:
            raise errors.TeeError(answer.result, "the supplicant could not do it")
        return getattr(answer, _REPLY)

    def how_it_ended(self) -> str:
        return ""

    def close(self) -> None: ...

    def kill(self) -> None: ...


def _without_process() -> None:
    """Devices that are started from now on have their secure world in this process."""
    seen = SimpleNamespace(level=launch.Level.ENFORCED, layers=())
    patched = cast("Any", starts)
    patched.SecureProcess = _SecureWorldHere
    patched.LockReport = SimpleNamespace(from_bytes=lambda raw: None)
    patched._listing = lambda boot, locked: SimpleNamespace(files={})
    patched.observe = lambda pid, report: None
    patched.judge = lambda report, observed, probes: seen
    patched.inspect_processes = lambda *_: SimpleNamespace(verdict=seen, core=SimpleNamespace(report=None), hosts=())


@dataclass(slots=True)
class _Sample:
    """How the first sample is recognized in a value."""

    canonical: bytes
    minutiae: int

    def within(self, value: object, depth: int = 2) -> bool:
        """Whether a field's value holds the sample."""
        if isinstance(value, bytes):
            return self.canonical in value
        if hasattr(value, "shape"):
            return bool(value.shape) and value.shape[0] == self.minutiae
        if isinstance(value, list | tuple):
            return len(value) == self.minutiae or (depth > 0 and any(self.within(v, depth - 1) for v in value[:8]))
        if isinstance(value, dict):
            return depth > 0 and any(self.within(v, depth - 1) for v in list(value.values())[:8])
        return depth > 0 and _is_ours(type(value)) and any(self.within(v, depth - 1) for v in _values(value))


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ("bioguard", "tee_sim")


def _values(value: object) -> Iterator[object]:
    names = [n for k in type(value).__mro__ for n in getattr(k, "__slots__", ())] or list(
        getattr(value, "__dict__", ())
    )
    for name in [names] if isinstance(names, str) else names:
        if isinstance(name, str) and hasattr(value, name):
            yield getattr(value, name)


def _is_a_value(kind: type) -> bool:
    """Records and tuples with names: what is passed on. An application or a store that has them inside is no type
    of the sample."""
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "_fields")


@dataclass(slots=True)
class Route:
    """What one operation passed through."""

    sample: _Sample
    roots: tuple[str, ...]
    decodes: int = 0
    encodes: int = 0
    library: int = 0
    calls: int = 0
    transactions: int = 0
    rpmb_writes: int = 0
    functions: set[CodeType] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    callers: Counter[str] = field(default_factory=Counter)

    def measure(self, work: Callable[[], object]) -> None:
        """Run `work` and count."""
        sys.setprofile(self._event)
        try:
            work()
        finally:
            sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, arg: Any) -> None:
        if event in ("c_call", "call"):
            self._library(frame, event, arg)
        name = frame.f_code.co_filename
        if event not in ("call", "return") or not name.startswith(self.roots):
            return
        if event == "return":
            self._seen(arg)
            return
        code = frame.f_code
        self.calls += 1
        self.functions.add(code)
        self.files.add(name)
        self._count(frame)
        for value in list(frame.f_locals.values())[: code.co_argcount + code.co_kwonlyargcount]:
            self._seen(value)

    def _library(self, frame: FrameType, event: str, arg: Any) -> None:
        called = frame.f_code.co_qualname if event == "call" and "cbor2" in frame.f_code.co_filename else ""
        if event == "c_call" and str(getattr(arg, "__module__", "")).startswith(("cbor2", "_cbor2")):
            called = arg.__name__
        self.library += called in ("loads", "dumps")

    def _count(self, frame: FrameType) -> None:
        code = frame.f_code
        if code is codec.decode.__code__:
            self.decodes += 1
            self.callers[f"decode < {_caller(frame)}"] += 1
        elif code is codec.encode.__code__:
            self.encodes += 1
            self.callers[f"encode < {_caller(frame)}"] += 1
        elif code is storage_requests.parse_commit.__code__:
            self.transactions += 1
        elif code is chip.RpmbDevice._write.__code__:
            self.rpmb_writes += 1

    def _seen(self, value: object) -> None:
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            for item in value[:4]:
                self._seen(item)
            return
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if not _is_ours(kind) or name in self.types or not _is_a_value(kind):
            return
        if any(self.sample.within(v) for v in _values(value)):
            self.types.add(name)

    def row(self) -> dict[str, Any]:
        """Plain values."""
        sizes = {name: getattr(self, name) for name in _ROWS}
        return {k: len(v) if isinstance(v, set) else v for k, v in sizes.items()} | {
            "held_by": sorted(self.types),
            "callers": dict(self.callers.most_common()),
        }


def _caller(frame: FrameType) -> str:
    """Who asked: the first function outside codec, schema and wire."""
    names = []
    back = frame.f_back
    while back is not None:
        names.append(f"{Path(back.f_code.co_filename).stem}.{back.f_code.co_qualname}")
        if Path(back.f_code.co_filename).stem not in ("codec", "schema", "wire"):
            break
        back = back.f_back
    return " < ".join(names[-2:])


def measure_here() -> dict[str, Any]:
    """One enrollment of 3 touches and one authentication in this checkout."""
    from bioguard.device import Device  # noqa: PLC0415 - after the module path is known
    from bioguard.device.consent import grant_all  # noqa: PLC0415
    from bioguard.formats import load, write_iso2005  # noqa: PLC0415

    _without_process()
    checkout = Path(cast("str", codec.__file__)).parents[codec.__name__.count(".")]
    roots = (f"{checkout}/src/bioguard/", f"{checkout}/tee_sim/")
    asks = {"require_pin", "settings"} & inspect.signature(Device.init).parameters.keys()
    options: dict[str, Any] = {"require_pin": False} if asks else {}
    touches = people.finger_impressions(1, person=0, count=6)
    with tempfile.TemporaryDirectory(prefix="bioguard-route-") as temporary:
        folder = Path(temporary)
        files = [folder / f"touch{i}.iso" for i in range(len(touches))]
        for file, touch in zip(files, touches, strict=True):
            file.write_bytes(write_iso2005([touch], position=2))
        with Device.init(folder / "device", **options) as device:
            for name in ("alice", "bob"):
                device.add_user(name)
                grant_all(device, name, of_age=True)
            # The first of each pays for imports and tables.
            other = [t for f in files[3:] for t in load(f).features]
            device.enroll("bob", other, finger="right-index")
            device.authenticate("bob", load(files[3]).features[0])
            features = load(files[0]).features[0]
            sample = _Sample(features.to_bytes(), len(features))
            enroll = Route(sample, roots)
            enroll.measure(
                lambda: device.enroll("alice", [t for f in files[:3] for t in load(f).features], finger="right-index")
            )
            probe = load(files[3]).features[0]
            authenticate = Route(_Sample(probe.to_bytes(), len(probe)), roots)
            authenticate.measure(lambda: device.authenticate("alice", load(files[3]).features[0]))
    return {"enroll": enroll.row(), "authenticate": authenticate.row()}


_RUN_HERE = """
import runpy, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""An editable install finds the modules of its own checkout whatever the path says."""


def _elsewhere(checkout: Path) -> dict[str, Any]:
    """The same program on another checkout, in a process of its own."""
    paths = os.pathsep.join(map(str, (checkout / "src", checkout)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", _RUN_HERE, __file__, "--json"],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return cast("dict[str, Any]", json.loads(done.stdout)["this"])


def _print(report: dict[str, dict[str, Any]]) -> None:
    operations = ("enroll", "authenticate")
    print(f"{'':<14}" + "".join(f"{f'{operation}, {where}':>24}" for operation in operations for where in report))
    for name in _ROWS:
        print(f"{name:<14}" + "".join(f"{report[w][o][name]:>24}" for o in operations for w in report))
    for operation in operations:
        for where, found in report.items():
            names = ", ".join(name.rpartition(".")[2] for name in found[operation]["held_by"])
            print(f"\n{operation}, {where}: held by {names}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.experiments.route", description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout to put beside this one")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with who asked for each decode")
    arguments = parser.parse_args()
    report = {"against": _elsewhere(arguments.against.resolve())} if arguments.against else {}
    report["this"] = measure_here()
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)


if __name__ == "__main__":
    main()
