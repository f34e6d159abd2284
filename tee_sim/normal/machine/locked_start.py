"""Start a locked secure world: lock first, look from outside, then hand over the root secret."""

from collections.abc import Callable, Collection
from dataclasses import replace
from uuid import UUID

from tee_sim.normal.debug_text import print_report
from tee_sim.normal.machine.start_caches import StartCaches
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.probes import begin_probes, cached_probes
from tee_sim.normal.sandbox_verdict.processes import Inspected, inspect_processes
from tee_sim.normal.sandbox_verdict.verdict import Verdict
from tee_sim.normal.secure_process import SecureProcess, StorageHandler
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.host_processes import host_heaps, host_names, sensor_processes
from tee_sim.shared.package_files import Listing
from tee_sim.shared.wire import Boot, Locked, NoFrameError, Provision, Ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A secure world that runs, and what was seen of it.

    Attributes:
        inspected: how far its processes are locked, judged from outside before it got any secret.
        measurements: SHA-256 of each trusted application's manifest and code, by name.
        listing: the files of the packages that BOOT asked for, as the secure world found them.
        sensor_measurements: SHA-256 of each sensor's manifest, code, packages and files, by name.
    """

    process: SecureProcess
    inspected: Inspected
    ready: Ready
    measurements: dict[str, str]
    listing: Listing
    sensor_measurements: dict[str, str]


def _held_down(inspected: Inspected, boot: Boot, vouched: Collection[UUID]) -> Inspected:
    """The same, no better than PARTIAL where code ran before the lock that nobody vouches for."""
    ran = [(m.name, name) for m in boot.manifests if m.ta_uuid not in vouched for name in m.early_code]
    verdict = inspected.verdict
    if not ran or not verdict.level.meets(Level.PARTIAL):
        return inspected
    reasons = tuple(f"{name} of {application} ran before the lock, in the core" for application, name in ran)
    held = replace(verdict, level=Level.PARTIAL, reasons=(*reasons, *verdict.reasons), filter_sha256=b"")
    return replace(inspected, verdict=held)


def _listing(boot: Boot, locked: Locked) -> Listing:
    """The files of exactly the packages that were asked for."""
    try:
        listing = Listing.parse(locked.listing.decode("ascii"))
    except ValueError:
        raise NoFrameError("the secure world's listing of files is none") from None
    if {name.partition("/")[0] for name in listing.files} != set(boot.packages):
        raise NoFrameError("the secure world listed the files of other packages than it was asked for")
    return listing


def start_locked(
    boot: Boot,
    storage: StorageHandler,
    provision: Provision,
    *,
    accept: Callable[[Verdict], None],
    vouched: Collection[UUID] = (),
    tap: Callable[[str, bytes], None] | None = None,
    keep_variables: Collection[str] = (),
    on_debug: Callable[[DebugReport], None] = print_report,
    on_forbidden: Callable[[str], None] | None = None,
    caches: StartCaches | None = None,
    beside: Callable[[], None] = lambda: None,
) -> Started:
    """Start a secure world; what does not come up is killed.

    Args:
        accept: raises for a lock that is not enough. The root secret is sent only after it has returned.
        vouched: applications whose own code may run before the lock, because the caller made it; another's holds the
            verdict at PARTIAL: it ran in the process that became the core, and could have changed anything there.
        tap, keep_variables, on_debug, on_forbidden: as of `SecureProcess`.
        caches: what earlier starts have left; None to see everything anew.
        beside: what the caller has to do anyway, done while the process loads.

    Raises:
        TeeError: it does not start, or its store does not open; and whatever `accept` raises.
    """
    seen: list[tuple[Inspected, Locked, Listing]] = []

    def inspect(pid: int, locked: Locked) -> str:
        hosts = host_names(boot)
        probes = cached_probes() if caches is None else caches.probes()
        inspected = inspect_processes(pid, locked, hosts, probes, host_heaps(boot), len(sensor_processes(boot)))
        inspected = _held_down(inspected, boot, vouched)
        seen.append((inspected, locked, _listing(boot, locked)))
        accept(inspected.verdict)
        return inspected.verdict.level.value

    process = SecureProcess(
        boot if caches is None else caches.code(boot),
        storage,
        tap=tap,
        keep_variables=keep_variables,
        on_debug=on_debug,
        on_forbidden=on_forbidden,
    )
    if caches is None or not caches.has_probes():
        begin_probes()  # beside the process that loads and locks itself
    try:
        beside()
        ready = process.boot(inspect, provision)
    except BaseException:
        process.kill()
        raise
    if caches is not None:
        caches.keep_code(bytes(process.compiled))
    inspected, locked, listing = seen[0]
    names = (manifest.name for manifest in boot.manifests)
    return Started(
        process=process,
        inspected=inspected,
        ready=ready,
        measurements={name: digest.hex() for name, digest in zip(names, locked.measurements, strict=True)},
        listing=listing,
        sensor_measurements=dict(
            zip((sensor.name for sensor in boot.sensors), (digest.hex() for digest in locked.sensors), strict=True)
        ),
    )
