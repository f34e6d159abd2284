"""Static checks: imports, syntax of the trusted code, reach, closed replies, bill of materials, shared objects."""

import importlib
import importlib.util
import json
import pkgutil
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import bioguard
import bioguard.commands
import tee_sim
from bioguard.device.applications import manifests
from bioguard.evidence import normal_world_reach, reply_widths
from bioguard.evidence.normal_world_scan import COMPILED, Reached, modules, reached
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.sbom import Component, components, product, render_cyclonedx, runtime_dependencies
from bioguard.evidence.source_scan import EXCEPTIONS, scan_source
from bioguard.report.model import Check, Evidence, Status
from tee_sim.shared.schema import is_closed, max_bits
from tee_sim.shared.ta_api import Command

NETWORK_MODULES = frozenset(
    {"socket", "_socket", "ssl", "_ssl", "asyncio", "multiprocessing", "http", "urllib.request"}
)
TEMPLATE_BITS = 1024
"""Bits of the smallest form in which a face is kept, the sign code. Turned back with the stolen secret it passes as
another photograph of its person in 98.0 % of trials at a false match rate of 1e-4; 256 bits still do in 92.6 %
(`python -m bench.experiments.face_protection --faces FILE.npz`; table "Reconstruction" of docs/protection.md)."""


NEEDS_AUDIT_EXTRA = "pip install 'bioguard[audit]'"


def check(
    number: int, title: str, status: Status, summary: str, *, details: tuple[str, ...] = (), limits: str = "",
    fix: str = "", evidence: tuple[Evidence, ...] = (),
) -> Check:  # fmt: skip
    """A static check with the rows it gives evidence for."""
    name = f"BG-STA-{number:03d}"
    clauses = tuple(c.id for c in CLAUSES if name in c.checks)
    return Check(
        id=name, title=title, status=status, summary=summary, details=details, limits=limits, fix=fix,
        evidence=evidence, clauses=clauses,
    )  # fmt: skip


def static_checks(raw: Path, created: str, wanted: Callable[[str], bool] = bool) -> Iterator[Check]:
    """The static checks whose id is wanted, all by default; lists go to `raw`."""
    steps: dict[str, Callable[[], Check]] = {
        "BG-STA-001": import_contracts,
        "BG-STA-002": lambda: trusted_syntax(raw),
        "BG-STA-003": lambda: bill_of_materials(raw, created, components()),
        "BG-STA-004": lambda: shared_objects(raw),
        "BG-STA-005": lambda: closed_replies(raw),
        "BG-STA-006": loaded_modules,
        "BG-STA-008": lambda: normal_world(raw),
    }
    return (step() for name, step in steps.items() if wanted(name))


def import_contracts(root: Path | None = None) -> Check:
    """Run import-linter on a checkout. An installed product has no contracts with it: UNKNOWN."""
    title = "The import contracts hold: no network module, nothing from the benches, trusted code apart"
    root = root or Path(tee_sim.__file__).parents[1]
    tool = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if tool is None or not (root / "pyproject.toml").is_file():
        fix = "run in a checkout: pip install -e '.[audit]'"
        return check(1, title, Status.UNKNOWN, "import-linter or the contracts are not here", fix=fix)
    done = subprocess.run([tool, "--no-cache"], cwd=root, capture_output=True, text=True, check=False, timeout=120)
    lines = tuple(line for line in done.stdout.splitlines() if line.endswith((" KEPT", " BROKEN")))
    status = Status.PASS if done.returncode == 0 and lines else Status.FAIL
    limits = "finds written imports only; what third parties import is in BG-STA-006, the kernel filter bounds the rest"
    return check(1, title, status, f"{len(lines)} contracts looked at", details=lines, limits=limits)


def trusted_sources() -> Iterator[tuple[str, str]]:
    """Name and source of every module that runs behind the lock, by the manifests."""
    names: set[str] = set()
    for manifest in manifests():
        for entry in manifest.code:
            package = entry.removesuffix(".*")
            names.add(package)
            if entry.endswith(".*"):
                found = importlib.util.find_spec(package)
                places = found.submodule_search_locations if found else None
                names |= {m.name for m in pkgutil.walk_packages(places, package + ".")}
    for name in sorted(names):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin and spec.origin.endswith(".py"):
            yield name, Path(spec.origin).read_text("utf-8")


def trusted_syntax(raw: Path) -> Check:
    """Scan the code that the manifests name."""
    sources = [s for s in trusted_sources() if s[0] != "bioguard.trusted.biometric.warmup"]
    everything = [finding for name, source in sources for finding in scan_source(name, source)]
    found = [f for f in everything if (f.module, f.what) not in EXCEPTIONS]
    known = [{"module": m, "what": w, "why": why} for (m, w), why in sorted(EXCEPTIONS.items())]
    rows = [{"module": f.module, "line": f.line, "what": f.what} for f in found]
    body = {"modules": [name for name, _ in sources], "findings": rows, "exceptions": known}
    (raw / "trusted-syntax.json").write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    status = Status.FAIL if found else Status.PASS if sources else Status.UNKNOWN
    return check(
        2,
        "The trusted code imports and names nothing outside its allow-list",
        status,
        f"{len(sources)} modules scanned, {len(found)} findings, {len(EXCEPTIONS)} exceptions with reasons",
        details=tuple(f"{f.module}:{f.line}: {f.what}" for f in found),
        limits="the simulator's own core is trusted too and is not scanned; libraries are allowed as a whole",
        fix="remove it, or argue for it in evidence/source_scan.py",
        evidence=(Evidence(label="modules and findings", path="raw/trusted-syntax.json"),),
    )


def bill_of_materials(raw: Path, created: str, parts: list[Component]) -> Check:
    """Write the SBOM; every runtime dependency must be in it. Without the library that writes it: UNKNOWN."""
    title = "What the product runs on is listed"
    details = tuple(f"{p.name} {p.version} ({p.license})" for p in parts)
    try:
        text = render_cyclonedx(parts, created, product())
    except ImportError:
        summary = "cyclonedx-python-lib is not here"
        return check(3, title, Status.UNKNOWN, summary, details=details, fix=NEEDS_AUDIT_EXTRA)
    (raw / "sbom.cdx.json").write_text(text, "utf-8")
    found = {p.normal_name for p in parts}
    required = runtime_dependencies()
    missing = tuple(name for name in required if name not in found)
    return check(
        3,
        title,
        Status.UNKNOWN if missing or not required else Status.PASS,
        f"{len(parts)} distributions, {len(missing)} missing" if required else "the product's own metadata is not here",
        details=details + tuple(f"missing: {m}" for m in missing),
        limits="what is installed here; known vulnerabilities are not looked up, that would need a network",
        evidence=(Evidence(label="CycloneDX 1.6", path="raw/sbom.cdx.json"),),
    )


def shared_objects(raw: Path) -> Check:
    """List the shared objects of the trusted applications' libraries and the network functions they ask for.

    Without the library that reads them: UNKNOWN.
    """
    title = "Every shared object of the secure world's libraries was read, and network functions are listed"
    try:
        from bioguard.evidence.elf import NETWORK_SYMBOLS, NotElf, undefined_symbols  # noqa: PLC0415 - needs the extra
    except ImportError:
        return check(4, title, Status.UNKNOWN, "pyelftools is not here", fix=NEEDS_AUDIT_EXTRA)
    roots = sorted({name.split(".")[0] for m in manifests() for name in m.preload})
    folders = [p for root in roots for p in _locations(root)]
    files = sorted({f for folder in folders for f in folder.rglob("*.so*") if f.is_file()})
    rows, unread = list[dict[str, object]](), list[str]()
    for file in files:
        try:
            rows.append({"file": file.name, "network": sorted(undefined_symbols(file.read_bytes()) & NETWORK_SYMBOLS)})
        except (NotElf, OSError, ValueError) as error:
            unread.append(f"{file.name}: {error}")
    with_network = [r for r in rows if r["network"]]
    body = {"objects": rows, "unread": unread}
    (raw / "shared-objects.json").write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    return check(
        4,
        title,
        Status.UNKNOWN if unread or not rows else Status.PASS,
        f"{len(rows)} shared objects, {len(with_network)} ask for network functions",
        details=tuple(f"{r['file']}: {', '.join(map(str, r['network']))}" for r in with_network)  # type: ignore[call-overload]
        + tuple(f"not read: {u}" for u in unread),
        limits="a listed function is present in memory; the kernel filter (BG-SBX-001) kills its system call",
        evidence=(Evidence(label="objects", path="raw/shared-objects.json"),),
    )


def _locations(root: str) -> list[Path]:
    spec = importlib.util.find_spec(root)
    places = [Path(p) for p in (spec.submodule_search_locations or ())] if spec else []
    beside = [p.with_name(f"{p.name}.libs") for p in places]
    return places + [p for p in beside if p.is_dir()]


def closed_replies(raw: Path) -> Check:
    """Every reply type of every trusted application: no free bytes, no free text, counted bits."""
    rows: list[dict[str, object]] = []
    wrong: list[str] = []
    for module in pkgutil.iter_modules(bioguard.commands.__path__, "bioguard.commands."):
        for name, value in sorted(vars(importlib.import_module(module.name)).items()):
            if isinstance(value, Command):
                bits = max_bits(value.reply)
                rows.append(
                    {"command": f"{module.name.rpartition('.')[2]}.{name}", "reply": value.reply.__name__,
                     "closed": is_closed(value.reply), "max_bits": round(bits)}
                )  # fmt: skip
                wrong += reply_widths.flaws(str(rows[-1]["command"]), value.number, value.reply)
    wrong += reply_widths.commands_elsewhere([Path(bioguard.commands.__file__).parents[1] / "trusted"])
    wrong += reply_widths.loose_bounds()
    open_ones = [str(r["command"]) for r in rows if not r["closed"]]
    wide = [f"{r['command']}: {r['max_bits']} bits" for r in rows if int(str(r["max_bits"])) > TEMPLATE_BITS]
    (raw / "replies.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    status = Status.FAIL if open_ones or wrong else Status.PASS if rows else Status.UNKNOWN
    return check(
        5,
        "No reply of a trusted application can hold free bytes or text, or more than is listed for its command",
        status,
        f"{len(rows)} reply types, {len(open_ones)} of them open, {len(wrong)} not as listed",
        details=(
            *(f"open: {c}" for c in open_ones),
            *wrong,
            *(f"wider than a protected code ({TEMPLATE_BITS} bits): {w}" for w in wide),
        ),
        limits="ids and digests are random and could carry bits for hostile trusted code; replies with room for a "
        "whole protected code are named here, and a part of one tells something too",
        fix="give the field a bound: an enumeration, a number or a fixed-size id",
        evidence=(Evidence(label="reply types", path="raw/replies.json"),),
    )


def loaded_modules() -> Check:
    """Import the whole product in a fresh process and look for network modules."""
    probe = (
        "import sys, bioguard.device, bioguard.cli.app, tee_sim.secure.launcher\n"
        f"print(*sorted({set(NETWORK_MODULES)!r} & set(sys.modules)))\nprint(len(sys.modules))"
    )
    line = [sys.executable, "-I", "-B", "-c", probe]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    title = "The product loads no network module"
    lines = done.stdout.split("\n")
    if done.returncode or len(lines) < 2:
        return check(6, title, Status.UNKNOWN, "the product could not be imported in a fresh process")
    found = tuple(lines[0].split())
    return check(
        6,
        title,
        Status.FAIL if found else Status.PASS,
        f"{lines[1]} modules loaded, {len(found)} of them network modules",
        details=found,
        limits="shows that it does not load them, not that it could not: the kernel filter carries that part",
    )


def normal_world(raw: Path, roots: Mapping[str, Path] | None = None) -> Check:
    """Compare what each module of the product can reach, by its syntax, with the list of what it may.

    Args:
        raw: where the list of what was found goes.
        roots: directory of each package; those that are installed by default.
    """
    roots = roots or {p.__name__: Path(p.__file__ or "").parent for p in (bioguard, tee_sim)}
    apart = frozenset(normal_world_reach.APART)
    files = [file for package, root in roots.items() for file in modules(root, package, apart)]
    found, unread = list[Reached](), list[str]()
    for name, path in files:
        try:
            found += reached(name, path)
        except (OSError, SyntaxError, ValueError) as error:
            unread.append(f"{name}: not read: {error}")
    said, listed = Counter((r.module, r.word) for r in found), normal_world_reach.listed()
    more = said - listed
    gone = sorted((module, word) for module, word in listed - said if word != COMPILED)  # a build may have none of it
    beyond = tuple(
        f"{r.module}:{r.line}: {r.word} (occurs {said[r.module, r.word]}, listed {listed[r.module, r.word]})"
        for r in found
        if (r.module, r.word) in more
    )
    wrong = (*unread, *beyond, *(f"{module}: {word}: listed more often than it occurs" for module, word in gone))
    rows = [{"module": r.module, "line": r.line, "word": r.word} for r in found]
    reasons = [{"why": why, "modules": words} for why, words in normal_world_reach.REASONS]
    body = {"modules": len(files), "found": rows, "reasons": reasons, "not looked at": normal_world_reach.APART}
    (raw / "normal-world-reach.json").write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    return check(
        8,
        "No module of the product reaches files, programs, sockets or native code beyond what is listed for it",
        Status.FAIL if wrong else Status.PASS if files else Status.UNKNOWN,
        f"{len(files)} modules read, {len(found)} places in {len({r.module for r in found})} of them reach out, "
        f"{len(more)} words beyond the list, {len(gone)} listed and gone",
        details=wrong,
        limits="goes by names in source: not what a listed module does with what it may reach, nor compiled code, nor "
        f"libraries; not looked at: {', '.join(sorted(apart))}, whose importers are listed",
        fix="remove it, or argue for it in evidence/normal_world_reach.py",
        evidence=(Evidence(label="places and reasons", path="raw/normal-world-reach.json"),),
    )
