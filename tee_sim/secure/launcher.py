"""The secure world's process: `python -I -B -m tee_sim.secure.launcher REQUEST_FD REPLY_FD [PICTURE_FD...]`.

Started by tee_sim.normal.secure_process only.

Order (docs/architecture.md): harden, read BOOT, import third-party code and warm it up, read and compile trusted
code, fork what loads each sensor, fork a host for each application and its spares, lock, report, receive the root
secret, serve. Trusted code runs in the hosts, a sensor's in processes of its own, which never see that secret. Anything
unexpected ends the process: it never goes on with less than BOOT asked it to enforce.

Does not promise: that the lock is enough. The host may refuse layers of it; they are reported, and the normal world
judges before it sends a secret. Nor that the code is right: it is measured as it lies there, and nobody signed it.
"""

import gc
import os
import sys
import time
from collections.abc import Sequence
from typing import NoReturn, cast

from tee_sim.secure import kept_code, lockdown, quiet
from tee_sim.secure.blocking_pipe import EXIT_EOF, BlockingPipe
from tee_sim.secure.code_folders import CodeFolders
from tee_sim.secure.codeload import CodeTable, forget_file_importers, own_folder
from tee_sim.secure.debug import Debugger
from tee_sim.secure.hosting import LocalHosting
from tee_sim.secure.hosts.messages import HostLocked
from tee_sim.secure.hosts.messages import pack as pack_for_core
from tee_sim.secure.hosts.messages import unpack as unpack_of_host
from tee_sim.secure.hosts.native_functions import load as load_functions
from tee_sim.secure.hosts.pipes import HostPipe
from tee_sim.secure.hosts.process import Host, load_entry
from tee_sim.secure.hosts.remote_app import Hosts
from tee_sim.secure.lockdown import LockPlan, LockReport, watcher
from tee_sim.secure.native.load import NativeCode
from tee_sim.secure.native.unlocked import UnlockedCode, UnlockedHosting
from tee_sim.secure.sensors.desk import SensorPort
from tee_sim.secure.sensors.start import StartedSensors
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.clock import clocks_are_shifted
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.host_processes import host_manifests, memory_bytes
from tee_sim.shared.limits import BOOT_TIMEOUT_MS, MAX_LISTING_BYTES, MAX_MEASURED
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.package_files import Listing
from tee_sim.shared.readiness import make_ready
from tee_sim.shared.schema import MisfitError
from tee_sim.shared.ta_api import Platform
from tee_sim.shared.wire import (
    COMPILED_PART_BYTES,
    EXIT_PROTOCOL,
    Boot,
    BootFailed,
    Compiled,
    Feed,
    Locked,
    LockProfile,
    Message,
    NoFrameError,
    Provision,
    Return,
    StorageCall,
    StorageReply,
    Wait,
    Waited,
    pack,
    unpack,
)

_PROFILES = {
    LockProfile.STRICT: "strict",
    LockProfile.PERMISSIVE_DEBUG: "permissive-debug",
    LockProfile.OFF: "off",
}


class _ClientPipe(BlockingPipe):
    """The core's end to the normal world."""

    def send(self, message: Message) -> None:
        self.write(pack(message))

    def call(self, operation: int, request: list[object]) -> object:
        """`SupplicantPort`: one storage operation, answered by the normal world."""
        self.send(StorageCall(operation=int(operation), request=request))
        reply = cast("StorageReply", self._answer(StorageReply))
        if reply.result is not TeeResult.SUCCESS:
            raise TeeError(reply.result, "the supplicant could not do it")
        return reply.reply

    def wait(self, timeout_ms: int) -> bool:
        """`tee_sim.shared.task.Ask`."""
        self.send(Wait(timeout_ms=timeout_ms))
        return cast("Waited", self._answer(Waited)).cancelled

    def feed(self, process: int, number: int) -> None:
        """`tee_sim.secure.sensors.desk.Feed`."""
        self.send(Feed(process=process, number=number))

    def _answer(self, kind: type[Message]) -> Message:
        """What is no answer ends the process under the feet of whoever asked: no application may go on with it."""
        try:
            return unpack(self.body(), {kind})
        except (NoFrameError, MisfitError):
            os._exit(EXIT_PROTOCOL)


_Native = NativeCode | UnlockedCode | None


def _native(boot: Boot) -> _Native:
    """What hosts the native applications, if there are any."""
    if not any(manifest.native for manifest in boot.manifests):
        return None
    return UnlockedCode(boot.native) if boot.profile is LockProfile.OFF else NativeCode(boot.native)


def _preload(boot: Boot, code: CodeTable, native: _Native) -> tuple[bytes, ...]:
    """Import third-party code, compile ours. Returns the measurements, in manifest order."""
    folders = boot.folders or (b"",) * len(boot.manifests)
    given = list(zip(boot.manifests, folders, strict=True))
    sys.meta_path.insert(0, CodeFolders(given))
    measurements = tuple(
        native.add(manifest, folder) if native is not None and manifest.native else code.add(manifest)
        for manifest, folder in given
    )
    code.import_outside_code(list(dict.fromkeys(n for m in boot.manifests for n in m.preload)))
    load_functions(boot.manifests)
    for name in dict.fromkeys(m.warmup for m in boot.manifests if m.warmup):
        exec(code.modules[name].code, {"__name__": name})  # noqa: S102 - third-party calls only, see the manifest
    return measurements


def _send_compiled(pipe: _ClientPipe, code: CodeTable) -> None:
    modules = code.to_keep()
    content = kept_code.write(modules) if modules else b""
    for at in range(0, len(content), COMPILED_PART_BYTES):
        pipe.send(Compiled(part=content[at : at + COMPILED_PART_BYTES]))


def _list(boot: Boot) -> Listing:
    listing = Listing.of({name: own_folder(name) for name in boot.packages})
    if len(listing.to_text()) > MAX_LISTING_BYTES or len(listing.components()) > MAX_MEASURED:
        raise ValueError(f"the packages {', '.join(boot.packages)} hold more files than can be measured")
    return listing


def _fail(pipe: _ClientPipe, stage: str, error: BaseException) -> NoReturn:
    detail = f"{type(error).__name__}: {error}".encode("ascii", "replace").decode()
    printable = "".join(c if c.isprintable() else " " for c in detail)[:400]
    pipe.send(BootFailed(stage=stage, detail=printable))
    os._exit(EXIT_PROTOCOL)


def main(argv: list[str]) -> NoReturn:
    """Run the secure world until its request pipe closes."""
    request_fd, reply_fd = int(argv[1]), int(argv[2])
    pipe = _ClientPipe(request_fd, reply_fd)
    stage = "harden"
    # Nothing that is loaded is ever thrown away, and to look for what could be takes a tenth of the start.
    gc.disable()
    try:
        # 1. No core file, private files, no signal handler: before the first third-party import.
        lockdown.early()
        # 2. Whether a time namespace moves the clocks: /proc says so, and there is no /proc after the lock.
        shifted = clocks_are_shifted()
        # 3. What to load and how to lock. Nothing secret is in it: the lock is not judged yet.
        stage = "boot message"
        boot = cast("Boot", unpack(pipe.body(), {Boot}))
        # 4. Read and measure our code, run third-party code. Imports open files, and warm-up asks the kernel for what
        #    the filter will forbid: the last moment for either. Trusted code is compiled here and not run; what is
        #    measured is what is kept, no file is read a second time.
        stage = "load code"
        kept = kept_code.read(boot.kept_code, boot.kept_sha256) if boot.kept_code else {}
        code, native = CodeTable(kept=kept), _native(boot)
        measurements = _preload(boot, code, native)
        if boot.keep_code:
            _send_compiled(pipe, code)
        listing = _list(boot)
        debugger = None if boot.profile is LockProfile.STRICT else Debugger(boot.manifests, code)
        if boot.profile is not LockProfile.OFF:
            quiet.install(None if debugger is None else debugger.voice)
        # 5. What is loaded now is alike in every process that is forked: left alone, its pages stay shared. So does
        #    what imports have left in cycles: to look for that would take as long as to load it.
        owners, sensors = host_manifests(boot), StartedSensors(boot, tuple(map(int, argv[3:])))
        forget_file_importers()
        gc.freeze()
        gc.enable()
        make_ready(HostLocked)  # what the first of them needs is made once, and not by each host
        # 6. Fork the hosts, lock. From here on a call that the filter does not name kills the process.
        stage = "lock"
        report = lockdown.engage(
            LockPlan(
                request_fd=request_fd,
                reply_fd=reply_fd,
                profile=_PROFILES[boot.profile],
                namespaces=boot.namespaces,
                heaps_bytes=tuple(map(memory_bytes, owners)),
            ),
            sensors.forks,
            lambda host: _map_native(owners[host - 1], native, debugger),
        )
        # 7. A host runs its application from here on; this process is the core.
        if report.host:
            number = report.host - 1
            sensors.serve(report) if number >= len(owners) else _be_host(owners[number], code, native, report, debugger)
        # 8. The hosts say how they are locked, before anything is asked of them.
        stage = "hosts"
        pipes = tuple(HostPipe(link) for link in report.links[: len(owners)])
        hosts, ports = tuple(map(_locked, pipes)), sensors.ports(report.links[len(owners) :])
    except Exception as error:
        _fail(pipe, stage, error)
    try:
        # 9. Report. The normal world looks at these processes from outside, and believes the reports only where they
        #    agree.
        locked = Locked(
            report=report.to_bytes(),
            measurements=measurements,
            hosts=(*(x.report for x in hosts), *sensors.reports),
            listing=listing.to_text().encode("ascii"),
            sensors=sensors.measurements,
        )
        pipe.send(locked)
        names = (manifest.name for manifest in boot.manifests)
        first = LockReport.from_bytes(hosts[0].report) if hosts else None
        platform = Platform(
            filter_sha256=report.filter_sha256 or bytes(32),
            host_filter_sha256=(first and first.filter_sha256) or bytes(32),
            measurements=tuple(zip(names, measurements, strict=True)),
            processes=tuple(1 + manifest.spares for manifest in boot.manifests) if pipes else (),
            files=listing.components(),
            sensors=tuple(zip((sensor.name for sensor in boot.sensors), sensors.measurements, strict=True)),
            extractors=tuple((sensor.name, port.extractor) for sensor, port in zip(boot.sensors, ports, strict=True)),
        )
        if not pipes:  # the profile that locks nothing: every application in this process
            sys.meta_path.insert(0, code)
        if debugger is not None:
            debugger.start(pipe, pack, watcher.refused_calls(), locked=boot.profile is not LockProfile.OFF)
        _serve(pipe, boot, platform, _hosting(boot, pipes, native, debugger), ports, debugger, shifted=shifted)
    except BaseException:
        # No frame, or a failure of the core. Python would print a traceback, and the filter would kill it for that:
        # whoever watches for escapes would see one.
        if debugger is not None:
            debugger.panic()
        os._exit(EXIT_PROTOCOL)


def _map_native(manifest: Manifest, native: _Native, debugger: Debugger | None) -> None:
    """In the host of an application, before it is locked: only this process has its machine code in memory."""
    if isinstance(native, NativeCode) and manifest.native:
        native.map(manifest, reports=debugger is not None)


def _be_host(
    manifest: Manifest, code: CodeTable, native: _Native, report: LockReport, debugger: Debugger | None
) -> NoReturn:
    """Run one application for the core. It is given its own modules; the others' code lies in its memory, as in every
    process that was forked, and holds no secret."""
    try:
        pipe = BlockingPipe(report.request_fd, report.reply_fd)
        pipe.write(pack_for_core(HostLocked(report=report.to_bytes())))
        if isinstance(native, NativeCode) and manifest.native:
            native.serve(report.request_fd, report.reply_fd, watcher.refused_calls())
        sys.meta_path.insert(0, code.part(manifest))
        if debugger is None:
            Host(pipe, manifest).serve()
        debugger.start(pipe, pack_for_core, watcher.refused_calls(), locked=True, only=manifest.name)
        Host(pipe, manifest, debugger.panic, debugger.flush).serve()
    except BaseException:
        os._exit(EXIT_PROTOCOL)


def _locked(pipe: HostPipe) -> HostLocked:
    return cast("HostLocked", unpack_of_host(pipe.body(time.monotonic() + BOOT_TIMEOUT_MS / 1000), {HostLocked}))


def _hosting(
    boot: Boot, pipes: tuple[HostPipe, ...], native: _Native, debugger: Debugger | None
) -> Hosts | UnlockedHosting | None:
    on_debug = None if debugger is None else debugger.pass_on
    if isinstance(native, UnlockedCode):
        return UnlockedHosting(LocalHosting(load_entry), native, boot.manifests, on_debug)
    if not pipes:
        return None
    each = iter(pipes)
    processes = [(m, [next(each) for _ in range(1 + m.spares)]) for m in boot.manifests]
    return Hosts(processes, lambda m: m.time_ms, on_debug)


def _silent(_application: str) -> None:
    """A locked secure world says nothing about a panic but TARGET_DEAD."""


def _serve(
    pipe: _ClientPipe,
    boot: Boot,
    platform: Platform,
    hosting: Hosts | UnlockedHosting | None,
    sensors: Sequence[SensorPort],
    debugger: Debugger | None,
    *,
    shifted: bool,
) -> NoReturn:
    # 10. The root secret, the first and only time, and to the core alone; open the store, answer.
    provision = cast("Provision", unpack(pipe.body(), {Provision}))
    if isinstance(hosting, Hosts) and debugger is None:  # one that reports what it does would speak out of turn
        for uuid in boot.soon:
            hosting.load_ahead(uuid)
    try:
        world = SecureWorld(
            provision,
            pipe,
            boot.manifests,
            platform=platform,
            shifted=shifted,
            on_panic=_silent if debugger is None else debugger.panic,
            hosting=hosting,
            ask=pipe.wait,
            sensors=sensors,
            feed=pipe.feed,
        )
    except TeeError as error:
        pipe.send(Return(result=error.result, origin=error.origin))
        os._exit(EXIT_EOF)
    del provision
    pipe.send(world.ready())
    while True:
        answer = world.answer(pipe.body())
        if debugger is not None:
            debugger.flush()
        pipe.write(answer)


if __name__ == "__main__":
    main(sys.argv)
