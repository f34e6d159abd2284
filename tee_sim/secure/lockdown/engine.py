"""The order of the lock. Each arrow of docs/sandbox.md section 2 is a line here."""

import errno
import os
import sys
import time
from collections.abc import Callable
from typing import Final, cast

from tee_sim.secure import secret_memory
from tee_sim.secure.lockdown import namespaces, watcher
from tee_sim.secure.lockdown.hosts import data_limit, fork_hosts
from tee_sim.secure.lockdown.sensors import SensorForks, wait_for_root
from tee_sim.shared.lock_report import HostLink, Layer, LayerState, LockError, LockPlan, LockReport
from tee_sim.shared.sandbox import bpf, filters, hygiene, kernel, landlock

_REFUSALS: Final = {
    errno.EPERM: LayerState.REFUSED,
    errno.EACCES: LayerState.REFUSED,
    errno.ENOSPC: LayerState.REFUSED,  # max_user_namespaces reached
    errno.EUSERS: LayerState.REFUSED,
    errno.EINVAL: LayerState.UNAVAILABLE,  # option unknown to this kernel
    errno.ENOSYS: LayerState.UNAVAILABLE,
    errno.EOPNOTSUPP: LayerState.UNAVAILABLE,  # Landlock built in but not switched on
    errno.ENOENT: LayerState.UNAVAILABLE,  # no /proc entry for it
}
"""Errors by which a host says that it does not offer a layer. Any other error ends the process."""


class _Recorder:
    """Runs steps, times them, and distinguishes a refusal from a surprise."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.costs_us: list[tuple[str, int]] = []

    def must(self, name: str, step: Callable[[], object]) -> None:
        """A step that every host of ours can do. Anything else ends the process."""
        start = time.perf_counter_ns()
        try:
            detail = step()
        except OSError as error:
            raise LockError(f"{name}: {errno.errorcode.get(error.errno or 0, error.errno)}") from error
        self._done(name, LayerState.APPLIED, 0, detail, start)

    def try_(self, name: str, step: Callable[[], object]) -> bool:
        """A step the host may refuse; returns whether it is in force."""
        start = time.perf_counter_ns()
        try:
            detail = step()
        except OSError as error:
            state = _REFUSALS.get(error.errno or 0)
            if state is None:
                raise LockError(f"{name}: {errno.errorcode.get(error.errno or 0, error.errno)}") from error
            self._done(name, state, error.errno or 0, None, start)
            return False
        self._done(name, LayerState.APPLIED, 0, detail, start)
        return True

    def skip(self, name: str) -> None:
        self.layers.append(Layer(name, LayerState.SKIPPED))

    def _done(self, name: str, state: LayerState, error: int, detail: object, start: int) -> None:
        self.layers.append(Layer(name, state, error, detail if isinstance(detail, str) else ""))
        self.costs_us.append((name, (time.perf_counter_ns() - start) // 1000))


_early = _Recorder()


def early() -> None:
    """Harden before the first third-party import. Call once, first thing. On other systems than Linux: nothing."""
    if sys.platform != "linux":
        return
    _early.layers.clear()
    _early.costs_us.clear()
    _early.must("early-limits", hygiene.harden_early)
    _early.try_("no-exec-gain", hygiene.refuse_exec_gain)


def engage(
    plan: LockPlan, sensors: SensorForks | None = None, prepare: Callable[[int], None] = lambda _host: None
) -> LockReport:
    """Lock this process for good. With namespaces it returns in a forked child; its parent waits and has no way back.

    With hosts in the plan it returns once in each of them and once in the core; the report says where. With sensors,
    once in each of their processes too, which are numbered after those.

    A step takes away only what no step after it needs. What was measured of the order: docs/sandbox.md section 2.

    Args:
        prepare: called once in each host, with its number from 1, before it is locked: for what it alone shall have.

    Does not promise: that every layer is in force. One that the host refuses is in the report with its error, and the
    normal world decides from outside whether the rest is enough (`tee_sim.normal.sandbox_verdict`). Nor protection from
    the host's root, from flaws of the kernel or against side channels.

    Raises:
        LockError: a surprise. The process may be half locked and must end.
        SensorError: a sensor could not be made; likewise.
    """
    if sys.platform != "linux" or plan.profile == "off":
        return _report(plan, _early, landlock_abi=0, locked=False)
    recorder = _Recorder()
    recorder.layers += _early.layers
    recorder.costs_us += _early.costs_us
    # 1. Before all else: unshare(CLONE_NEWUSER) fails with EINVAL with two threads, and Landlock binds only the caller.
    recorder.must("one-thread", _assert_one_thread)
    # 2. Before step 11 keeps these two numbers: a socket or a file under one of them would be a way out.
    recorder.must("pipes", lambda: hygiene.check_pipes(plan.request_fd, plan.reply_fd))
    # 3. Before the root is empty: it opens /dev/null.
    recorder.must("standard-streams", hygiene.silence_standard_streams)
    # 4. Before the root is empty: it reads /proc/self; and before the filter, which has no prctl.
    recorder.try_("arguments", hygiene.scrub_arguments)
    base_bytes = hygiene.data_bytes()
    # 5. Before 6, after which uid_map belongs to root, and before 8: mounting needs the capabilities of the namespace.
    entered = _namespaces(plan, recorder)
    scoped = _fork_sensors(plan, sensors) if sensors else False
    copy = sensors.copy if sensors else None
    sensor_links: tuple[HostLink, ...] = ()
    if copy is not None:
        recorder.layers.append(wait_for_root(copy, plan.request_fd))
    else:
        root = _empty_root(recorder, entered=entered)
        sensor_links = sensors.go(root) if sensors else ()
    # 6. After 5 wrote uid_map. Before there is any secret: /proc/<pid>/mem is closed to the same user from here on.
    recorder.must("not-dumpable", hygiene.not_dumpable)
    # 7. Before 8, 9 and 15: the kernel wants it of an unprivileged process for Landlock and for a filter.
    recorder.must("no-new-privileges", hygiene.no_new_privileges)
    # 8. After 5, the last step that needs a capability; a filter without one needs step 7.
    recorder.must("capabilities", hygiene.drop_capabilities)
    # 9. After 5: a Landlock domain may not mount; before 14: its rules have a descriptor. Before 10: core and hosts in
    #    one domain, or its signal scope would keep the core from ending a host. Never in the waiter (`_wait_locked`).
    abi = _landlock(recorder, scoped=scoped and copy is None)
    # 10. After all that is alike for core and hosts, before anything that makes them differ. From here on each of these
    #     processes goes on by itself, and holds nothing of another's.
    if plan.heaps_bytes and copy is None:
        # The hosts' filter, made once: a dozen processes would each make it again, in memory of their own. So with
        # what a first report needs: the methods of its classes.
        filters.secure_world_program(kernel.MACHINE, plan.profile, plan.request_fd, plan.reply_fd, ()).sha256()
        _report(plan, recorder, landlock_abi=abi, locked=True, links=(HostLink(0, 0, 0, 0),)).to_bytes()
    host, links, picture_fd = 0, tuple[HostLink, ...](), 0
    if copy is not None:
        host, picture_fd = copy.number, cast("SensorForks", sensors).picture_fd
    else:
        host, links = fork_hosts(plan.heaps_bytes, plan.request_fd, plan.reply_fd)
        links = links if host else (*links, *sensor_links)
        if host:
            prepare(host)
    own = (plan.request_fd, plan.reply_fd, *((picture_fd,) if picture_fd else ()))
    ends = (*own, *(fd for x in links for fd in (x.read_fd, x.write_fd, x.kill_fd)))
    # 11. After 5, which opens files of /proc, directories and a process descriptor.
    recorder.must("descriptors", lambda: hygiene.close_all_but(*ends))
    # 12. After the forks of 5 and 10, over which locked memory is not inherited, and before 14: it makes a descriptor.
    recorder.must("arena", lambda: secret_memory.reserve(plan.arena_bytes).kind)
    if copy is not None:
        recorder.must("heap", lambda: data_limit(copy.heap_bytes, copy.base_bytes))
    elif host:
        recorder.must("heap", lambda: data_limit(plan.heaps_bytes[host - 1], base_bytes))
    # 13. In the debug profile alone. After 11, as the watcher shares what descriptors are left; before 14: a process.
    watched = plan.profile == "permissive-debug" and copy is None and recorder.try_("watcher", watcher.start)
    # 14. After everything that opens a descriptor: from here on the limit of them is 0.
    recorder.must("last-limits", lambda: hygiene.last_limits(waits=bool(links), one_more=watched))
    # 15. Last: it allows none of the calls above.
    locked = recorder.try_("seccomp", lambda: _seccomp(plan, links, picture_fd, watched=watched))
    return _report(plan, recorder, landlock_abi=abi, locked=locked, host=host, links=links, picture_fd=picture_fd)


def _fork_sensors(plan: LockPlan, sensors: SensorForks) -> bool:
    """Let the sensors be made, in processes of their own. Returns whether the scopes of Landlock are in force already.

    What they load must not reach into the core: it is closed to the same user before, and they get nothing that it has.
    """
    hygiene.not_dumpable()
    hygiene.no_new_privileges()
    scoped = landlock.restrict_scopes()
    filters.secure_world_program(kernel.MACHINE, plan.profile, plan.request_fd, plan.reply_fd, (), sensors.picture_fd)
    sensors.fork(plan.request_fd, plan.reply_fd, len(plan.heaps_bytes))
    return scoped


def _assert_one_thread() -> None:
    threads = hygiene.count_threads()
    if threads != 1:
        raise LockError(f"{threads} threads before the lock, expected one")


def _namespaces(plan: LockPlan, recorder: _Recorder) -> bool:
    """Namespaces, mapping, no nesting, fork. A refusal leaves the rest out, and the empty root. Returns whether not."""
    names = ("namespaces", "user-map", "no-nested-namespaces", "pid-1")
    uid, gid = os.geteuid(), os.getegid()
    if not plan.namespaces:
        for name in names:
            recorder.skip(name)
        return False
    if not recorder.try_("namespaces", namespaces.enter):
        for name in names[1:]:
            recorder.skip(name)
        return False
    mapped = recorder.try_("user-map", lambda: namespaces.map_user(uid, gid))
    if mapped:
        recorder.try_("no-nested-namespaces", namespaces.forbid_nested)
    else:
        recorder.skip("no-nested-namespaces")
    recorder.must("pid-1", lambda: namespaces.become_init(_wait_locked))
    return True


def _empty_root(recorder: _Recorder, *, entered: bool) -> Layer:
    """Returns what became of it."""
    if entered:
        recorder.try_("empty-root", namespaces.empty_root)
    else:
        recorder.skip("empty-root")
    return recorder.layers[-1]


def _landlock(recorder: _Recorder, *, scoped: bool) -> int:
    version = 0

    def restrict() -> str:
        nonlocal version
        version = landlock.abi()
        files, network, scopes = landlock.restrict(version, scoped=scoped)
        return f"abi {version}, {files} file rights, {network} network rights, {scopes} scopes, no rule"

    return version if recorder.try_("landlock", restrict) else 0


def _program(plan: LockPlan, links: tuple[HostLink, ...], picture_fd: int, *, watched: bool) -> bpf.Program:
    profile = filters.WATCHED if watched else plan.profile
    return filters.secure_world_program(kernel.MACHINE, profile, plan.request_fd, plan.reply_fd, links, picture_fd)


def _seccomp(plan: LockPlan, links: tuple[HostLink, ...], picture_fd: int, *, watched: bool) -> str:
    filters.this_arch()
    if watched and _listens(_program(plan, links, picture_fd, watched=True)):
        return f"{plan.profile}, with a watcher"
    program = _program(plan, links, picture_fd, watched=False)
    filters.load(program)
    return f"{len(program.instructions)} instructions, {plan.profile}"


def _listens(program: bpf.Program) -> bool:
    """Load the filter that asks the watcher; False where the kernel has no such answer, or somebody else listens."""
    try:
        watcher.listen(filters.load_and_listen(program))
    except OSError:
        return False
    return True


def _wait_locked(pid: int) -> int:
    """The waiter: let go of everything, lock itself to wait and exit, wait.

    No Landlock here: its signal scope would also stop the kernel's parent-death signal to the secure world (measured;
    the signal counts as sent by the dying parent). The filter leaves no call that Landlock would judge.
    """
    hygiene.close_all_but()
    hygiene.not_dumpable()
    hygiene.no_new_privileges()
    hygiene.drop_capabilities()
    hygiene.last_limits()
    _Recorder().try_("seccomp", lambda: filters.load(filters.waiter_program(filters.this_arch().machine)))
    _, status = os.waitpid(pid, 0)
    return namespaces.exit_status(status)


def _report(
    plan: LockPlan,
    recorder: _Recorder,
    *,
    landlock_abi: int,
    locked: bool,
    host: int = 0,
    links: tuple[HostLink, ...] = (),
    picture_fd: int = 0,
) -> LockReport:
    program = _program(plan, links, picture_fd, watched=watcher.refused_calls() is not None) if locked else None
    return LockReport(
        profile=plan.profile,
        machine=kernel.MACHINE,
        request_fd=plan.request_fd,
        reply_fd=plan.reply_fd,
        layers=tuple(recorder.layers),
        filter_sha256=program.sha256() if program else b"",
        filter_instructions=len(program.instructions) if program else 0,
        landlock_abi=landlock_abi,
        costs_us=tuple(recorder.costs_us),
        host=host,
        links=links,
        picture_fd=picture_fd,
    )
