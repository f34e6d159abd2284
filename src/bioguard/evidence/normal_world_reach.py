"""What each module of the product may reach outside of itself: each word, as often as it is said, with the reason.

Kept apart from the code: `bioguard audit run` (BG-STA-008) compares it with what `normal_world_scan` finds.
A module that is not here reaches nothing. "os.open *2" is two places.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

APART = {
    "bioguard.evidence": "the audit itself; whoever else imports it is named",
    "bioguard.simulate": "sensors and people for tests, demos and audits; whoever imports it is named",
    "tee_sim.testing": "stand-ins and attacks for tests; whoever imports it is named",
}
"""Not looked at, with the reason."""
REASONS: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        "reads, writes or finds a place for what the user named: files, samples in a directory, standard input",
        {
            "bioguard.cli.capture": ".mkdir, import bioguard.user_files, numpy.savez",
            "bioguard.cli.collection": ".open, numpy.load",
            "bioguard.cli.consent": "import bioguard.user_files",
            "bioguard.cli.convert": "import bioguard.user_files",
            "bioguard.cli.device": "import bioguard.user_files",
            "bioguard.cli.erasing": "import bioguard.user_files",
            "bioguard.cli.log": "import bioguard.user_files",
            "bioguard.cli.match": "import bioguard.user_files",
            "bioguard.cli.match_explain": "import bioguard.user_files",
            "bioguard.cli.pictures": "import bioguard.user_files",
            "bioguard.cli.pin": "import bioguard.user_files",
            "bioguard.cli.rights": "import bioguard.user_files",
            "bioguard.cli.secrets": "import bioguard.user_files",
            "bioguard.cli.token_agree": "import bioguard.user_files",
            "bioguard.cli.trace": "import bioguard.user_files",
            "bioguard.cli.token_files": "import bioguard.user_files",
            "bioguard.formats.files": "import bioguard.user_files",
            "bioguard.user_files": (
                "import select, io.BufferedReader, io.RawIOBase, os.fchmod, os.fdopen *2, os.open *2, os.readv"
            ),
        },
    ),
    (
        "synthetic people: for `demo` in a temporary device, for `samples` as files where the user says, for clients "
        "of `serve` as an answer",
        {
            "bioguard.cli.demo": "import bioguard.simulate.people, import tempfile",
            "bioguard.cli.make_samples": ".mkdir, .write_bytes, import bioguard.simulate.people, numpy.save",
            "bioguard.serve.v2.handlers.machine": "import bioguard.simulate.people.numbered",
        },
    ),
    (
        "commands of the audit, of attacks and of faults: they run what is not scanned, when they are asked to",
        {
            "bioguard.cli.attack": (
                "import bioguard.evidence.attack.bench, import bioguard.evidence.attack.kit, import bioguard.user_files"
            ),
            "bioguard.cli.audit_bundle": (
                "import bioguard.evidence.measuring, import bioguard.evidence.reference, "
                "import bioguard.evidence.run, import bioguard.user_files, os.urandom"
            ),
            "bioguard.cli.audit_parts": (
                "import bioguard.evidence *2, import bioguard.evidence.escape_battery, import bioguard.user_files"
            ),
            "bioguard.cli.audit_verify": (
                "import bioguard.evidence.bundle, import bioguard.evidence.reference, "
                "import bioguard.evidence.verify, import bioguard.user_files"
            ),
            "bioguard.cli.device_scenario": (
                "import bioguard.simulate.faults.scenario, import bioguard.simulate.scenario.document, "
                "import bioguard.simulate.scenario.new_device"
            ),
            "bioguard.cli.doctor": "import bioguard.evidence",
            "bioguard.cli.fault": (
                "import bioguard.simulate.faults.faulty_transport, import bioguard.simulate.faults.scenario, "
                "import bioguard.simulate.knobs.properties, import bioguard.simulate.knobs.table, "
                "import bioguard.simulate.virtual_hal.script_player"
            ),
            "bioguard.cli.policy": "import bioguard.evidence.policy_clauses",
            "bioguard.cli.scenario": (
                "import bioguard.simulate.scenario.document, import bioguard.simulate.scenario.writer, "
                "import bioguard.user_files"
            ),
            "bioguard.cli.serve": (
                "import bioguard.simulate.faults.live, import bioguard.simulate.faults.session_sensor, "
                "import bioguard.user_files, import signal"
            ),
            "bioguard.serve.scenario.recorder": (
                "import bioguard.simulate.faults.live, import bioguard.simulate.scenario.device_tables, "
                "import bioguard.simulate.scenario.document, import bioguard.simulate.scenario.steps, "
                "import bioguard.simulate.scenario.writer"
            ),
            "bioguard.serve.scenario.compare": (
                "import bioguard.simulate.scenario.steps, import bioguard.simulate.scenario.writer"
            ),
            "bioguard.serve.scenario.fields": (
                "import bioguard.simulate.people.numbered, import bioguard.simulate.scenario.values, "
                "import bioguard.user_files"
            ),
            "bioguard.serve.scenario.run": (
                ".open, import bioguard.simulate.faults.live, import bioguard.simulate.faults.scenario, "
                "import bioguard.simulate.faults.session_sensor, import bioguard.simulate.scenario.document, "
                "import bioguard.simulate.scenario.new_device, import bioguard.simulate.scenario.steps, import tempfile"
            ),
            "tee_sim.cli.attack": (
                "import tee_sim.testing.attacks.bench, import tee_sim.testing.attacks.natives, import traceback, "
                "os._exit, os.fdopen *2, os.fork, os.pipe, os.waitpid, os.waitstatus_to_exitcode"
            ),
            "tee_sim.cli.calls": "import builtins, import tee_sim.testing.forbidden_names",
            "tee_sim.cli.options": ".open, import tee_sim.testing.faults.machine_faults, import tempfile",
            "tee_sim.cli.shell": "import readline, import tee_sim.testing.faults.machine_faults",
        },
    ),
    (
        "engines and decoders of pictures, of others: outside a device, and in a sensor host after its lock",
        {
            "bioguard.capture.engine_files": ".open",
            "bioguard.capture.engines": "getattr, import importlib",
            "bioguard.capture.installed": "import importlib.util",
            "bioguard.capture.nbis_engine": "import nbis",
            "bioguard.capture.opencv": "import cv2",
            "bioguard.capture.pictures": "import _wsq",
            "bioguard.device.sensors": (
                ".read_bytes, getattr, import bioguard.device.json_file, import importlib.util, import site"
            ),
        },
    ),
    (
        "the frame of the command line: lazy commands, standard streams, the report of a crash, where the device is",
        {
            "bioguard.cli.__main__": "import gc",
            "bioguard.cli.command_line": "os.environ *7",
            "bioguard.cli.tracing": "os.environ *2",
            "tee_sim.lazy_group": "getattr, import gc, import importlib",
            "bioguard.cli.opening": ".open, import bioguard.simulate.faults, import bioguard.user_files",
            "bioguard.cli.running": "import tempfile, import traceback, os.environ, os.fdopen",
            "bioguard.serve.v2.pipe": "import select, os.read",
            "bioguard.cli.streams": (
                "io.BufferedReader, io.BufferedWriter, io.FileIO, io.TextIOWrapper *6, os.dup2, os.open *2"
            ),
        },
    ),
    (
        "private files of a device or machine: made, locked, replaced, removed; a copy of a store, in memory",
        {
            "bioguard.device.boot_id": "import bioguard.private_files",
            "bioguard.device.directory": (
                ".mkdir, .rmdir, import bioguard.private_files, import tee_sim.normal.private_files, os.fdopen *2, "
                "os.fsync *3, os.rename, os.urandom"
            ),
            "bioguard.device.fuses": "import bioguard.private_files",
            "bioguard.device.incidents": "import bioguard.device.json_file, import bioguard.private_files",
            "bioguard.device.json_file": "import bioguard.private_files",
            "bioguard.device.lock": "import bioguard.private_files",
            "bioguard.device.names": "import bioguard.device.json_file",
            "bioguard.device.password_handles": "import bioguard.device.json_file",
            "bioguard.device.strong_auth_times": "import bioguard.private_files",
            "bioguard.log.store_copy": "import bioguard.user_files, import sqlite3",
            "bioguard.private_files": "import tee_sim.normal.private_files *2, os.fdopen, os.fsync *2, os.rename *2",
            "tee_sim.normal.machine.directory": (
                ".mkdir, .rmdir, import tee_sim.normal.private_files, os.fdopen, os.fsync *2, os.listdir, os.rename *3"
            ),
            "tee_sim.normal.machine.file_lock": "import fcntl",
            "tee_sim.normal.machine.start_caches": (
                ".mkdir, .read_bytes, .read_text, .rmdir, import tee_sim.normal.private_files, os.fdopen *2, "
                "os.getresgid, os.getresuid, os.readlink, os.rename, os.scandir, os.uname, sys.flags, "
                "sys.implementation, sys.version"
            ),
            "tee_sim.normal.private_files": "os.dup, os.fdopen, os.fsync, os.open *3, os.rmdir, os.unlink *2",
        },
    ),
    (
        "storage and RPMB of the simulated machine, and the events of a timeline that was asked for",
        {
            "tee_sim.normal.rpmb_chip.__main__": "import argparse",
            "tee_sim.normal.rpmb_chip.file_medium": (
                "import fcntl, import tee_sim.normal.private_files, os.fdatasync, os.fsync, os.open, "
                "os.pread, os.pwrite"
            ),
            "tee_sim.normal.supplicant.database": (
                "import sqlite3, import tee_sim.normal.private_files, os.fsync, os.open"
            ),
            "tee_sim.normal.supplicant.remains": ".mmap, import mmap, os.open",
            "tee_sim.normal.supplicant.reserve": (
                "import tee_sim.normal.private_files, os.fstatvfs, os.posix_fallocate, os.unlink"
            ),
            "tee_sim.normal.supplicant.service": "os.open",
            "tee_sim.normal.supplicant.sqlite_blobs": "import sqlite3",
            "tee_sim.normal.timeline": "os.environ, os.open, os.pread, os.write",
        },
    ),
    (
        "starts or reaches the secure world over pipes; judges its lock; reads in the kernel log what ended it",
        {
            "tee_sim.normal.child": (
                "import fcntl, import select, import subprocess, os.environ *2, os.pidfd_open, os.pipe *3, "
                "os.set_blocking, os.write"
            ),
            "tee_sim.normal.asked": "import signal",
            "tee_sim.normal.connect": "import select, os.environ",
            "tee_sim.normal.kernel_log": "os.open, os.read",
            "tee_sim.normal.link": "import fcntl, os.read, os.write",
            "tee_sim.normal.native_lines": (".open *2, import elftools.common.exceptions, import elftools.elf.elffile"),
            "tee_sim.normal.operation": "import threading",
            "tee_sim.normal.picture_pipe": "import select, os.write",
            "tee_sim.normal.quick_relay": "import ctypes",
            "tee_sim.normal.relay": "import select, os.kill",
            "tee_sim.normal.sandbox_verdict.observe": (
                ".read_bytes *4, getattr, import ctypes, os.sched_yield, os.waitid"
            ),
            "tee_sim.normal.sandbox_verdict.probes": (
                ".mmap *2, .read_text, import ctypes, import signal, import subprocess, os._exit *2, "
                "os.execv, os.fork *2, os.open *3, os.pipe *2, os.waitpid *2, os.write"
            ),
            "tee_sim.normal.secure_process": "import select, import signal, os.read, os.write",
        },
    ),
    (
        "the secure world: its lock, pipes, processes, debug reports; kernel calls that the lock's judges share",
        {
            "tee_sim.secure.blocking_pipe": "os._exit *3, os.read, os.write",
            "tee_sim.secure.debug": (
                ".modules, .read_text, sys._getframe *4, sys.addaudithook, sys.audit, sys.excepthook, "
                "sys.setprofile, sys.unraisablehook"
            ),
            "tee_sim.secure.hosts.pipes": "import select, import signal, os.read *2, os.waitid, os.write",
            "tee_sim.secure.hosts.process": "getattr, import importlib",
            "tee_sim.secure.launcher": ".modules, exec, import gc, os._exit *5, sys.meta_path *3",
            "tee_sim.secure.lockdown.engine": "os.waitpid",
            "tee_sim.secure.lockdown.hosts": (
                "import select, import signal, os._exit, os.dup2, os.fork, os.pidfd_open *2, os.pipe *2, "
                "os.set_blocking *2"
            ),
            "tee_sim.secure.lockdown.namespaces": (
                "import select, import signal, os._exit *2, os.chdir *2, os.fork, os.pidfd_open"
            ),
            "tee_sim.secure.lockdown.sensors": (
                "import fcntl, import gc, import select, import signal, os._exit *3, os.chdir, os.dup2, os.fork *2, "
                "os.kill, os.pidfd_open *2, os.pipe *3, os.read *2, os.set_blocking *2, os.waitpid, os.write *2"
            ),
            "tee_sim.secure.lockdown.watcher": "import ctypes, import fcntl, import signal, os._exit",
            "tee_sim.secure.native.load": "import ctypes, import fcntl, os._exit, os.memfd_create, os.write",
            "tee_sim.secure.native.unlocked": (
                "import signal, os.environ *2, os.pidfd_open, os.pipe *2, os.posix_spawnp, os.set_blocking *2, "
                "os.set_inheritable"
            ),
            "tee_sim.secure.quiet": (
                "import ctypes, import linecache, io.TextIOBase, setattr, sys itself, sys.excepthook, "
                "sys.unraisablehook"
            ),
            "tee_sim.secure.secret_memory": "import mmap, os.ftruncate",
            "tee_sim.secure.sensors.process": "os._exit *2, os.read",
            "tee_sim.secure.sensors.start": "os._exit",
            "tee_sim.shared.sandbox.filters": "import ctypes",
            "tee_sim.shared.sandbox.hygiene": (
                "import fcntl, import resource, import signal, os.dup, os.dup2, os.open, os.umask"
            ),
            "tee_sim.shared.sandbox.kernel": ".mmap *2, import ctypes, os.open *2, os.read, os.uname, os.write",
        },
    ),
    (
        "words that are methods of GlobalPlatform objects, which are rows of a store and no files",
        {
            "tee_sim.gp_api.storage": ".open, .rename",
        },
    ),
    (
        "reads manifests, measures the files of packages, loads trusted code that is in the table of measured code",
        {
            "tee_sim.normal.machine.applications": ".open *2, .read_text",
            "tee_sim.shared.native.elf": "os.uname",
            "tee_sim.shared.native.image": "import elftools.elf.elffile",
            "tee_sim.secure.native.files": ".open",
            "tee_sim.secure.code_folders": "import importlib.machinery, import importlib.util",
            "tee_sim.secure.codeload": (
                ".__dict__, .modules *7, compile, exec, import importlib, import importlib.machinery, "
                "import importlib.util, import marshal, import opcode, io.FileIO, os.curdir, os.lstat *2, "
                "os.pardir, os.walk, sys.meta_path, sys.modules, sys.path, sys.path_hooks, sys.path_importer_cache, "
                "types.CodeType"
            ),
            "tee_sim.secure.kept_code": "os.fdopen, os.open, sys.flags, sys.implementation *2, sys.version",
            "tee_sim.secure.sensors.load": (
                ".modules *3, .read_bytes, getattr, import importlib, import importlib.machinery, sys.meta_path *6, "
                "sys.path *2, sys.path_hooks *2"
            ),
            "tee_sim.shared.package_files": "io.FileIO, os.lstat *2, os.walk",
        },
    ),
    (
        "tools for those who write a trusted application: run by hand, not by a device",
        {
            "tee_sim.cli.findings": (
                ".modules *9, .read_bytes *2, .read_text, import importlib, import importlib.util, sys.meta_path *2"
            ),
            "tee_sim.cli.imports": "import importlib.util, sys.modules",
            "tee_sim.cli.interrupt": "import signal, import subprocess, import threading",
            "tee_sim.cli.named_commands": "getattr, import importlib, sys.path *2, vars",
            "tee_sim.cli.new": (
                ".chmod, .mkdir, .rename, .write_text, import importlib.util, import shutil, "
                "import tempfile, os.umask *2"
            ),
            "tee_sim.cli.run": "import subprocess, os.environ *3, os.pathsep, os.pipe *2",
            "tee_sim.cli.serve": "import signal",
            "tee_sim.cli.tools": ".read_bytes, import shutil, os.open",
            "tee_sim.normal.timeline_reader": "os.fdopen, os.open",
            "tee_sim.cli.words": ".open",
            "tee_sim.normal.dev_kit": (
                ".mkdir *3, .read_bytes, .rename, .symlink_to, import shutil, import subprocess, import tempfile, "
                "os.cpu_count, os.environ *2"
            ),
        },
    ),
    (
        "members of archives of samples: read from a stream that is open, written in memory",
        {
            "bioguard.formats.convert": "import zipfile, numpy.save, numpy.savez",
            "bioguard.formats.npz": ".open, import zipfile",
            "bioguard.formats.stated_model": "import zipfile",
        },
    ),
    (
        "the native matcher: its choice by BIOGUARD_KERNEL, the address of an array",
        {
            "bioguard.match._cylinders": "compiled code",
            "bioguard.match._kernels": "compiled code",
            "bioguard.match.arrays": ".ctypes",
            "bioguard.match.kernels": "os.environ *2",
        },
    ),
    (
        "executes an empty text, so that `python -m` ends with its own status",
        {"tee_sim.shared.leaving": "exec"},
    ),
    (
        "compiles `__init__` of a dataclass out of the names of its fields, as `dataclasses` does",
        {
            "tee_sim.shared.dataclass": (
                ".__dict__ *2, compile, exec, getattr *2, import reprlib, operator.attrgetter, setattr *3, vars *8"
            ),
        },
    ),
    (
        "fields and methods of records, names in a module of commands, whether an application has its own `invoke`",
        {
            "bioguard.device": "getattr",
            "bioguard.device.command_names": "vars",
            "bioguard.device.data_export": "getattr *2",
            "bioguard.device.errors": "getattr",
            "bioguard.formats": "getattr",
            "bioguard.formats.losses": "getattr *2",
            "bioguard.match.fingerprint.calibration": "getattr",
            "bioguard.records": "getattr",
            "bioguard.records.audit_events": "getattr",
            "bioguard.records.tokens": "getattr *2",
            "bioguard.report.fingerprint_drawing": "getattr",
            "bioguard.report.json_form": "getattr",
            "bioguard.timeline_events": "getattr",
            "bioguard.trusted.biometric.levels": "getattr *2",
            "bioguard.trusted.biometric.search_segments": "getattr",
            "tee_sim.normal.supplicant": "getattr",
            "tee_sim.secure.closed_replies": "vars *2",
            "tee_sim.shared.manifest": "getattr",
            "tee_sim.shared.schema": "getattr, operator.attrgetter",
        },
    ),
    (
        "touches no file: a method or a field of our own with such a name",
        {
            "bioguard.device.facade": ".rename",
            "bioguard.log.erasure_receipt": ".open *2",
            "bioguard.log.signed_log": ".open *2",
            "bioguard.proofs.checkpoint": ".open",
            "bioguard.serve.methods": ".replace",
            "bioguard.trusted.biometric.app": ".replace",
            "tee_sim.normal.machine.machine": ".open",
            "tee_sim.secure.peers": ".open",
            "tee_sim.secure.storage.store": ".open *2",
            "tee_sim.secure.storage.ta_store": ".open",
            "tee_sim.secure.world": ".open",
        },
    ),
    (
        "forms of a report: XML and templates of the package",
        {
            "bioguard.report.jinja": "import jinja2",
            "bioguard.report.junit": "import xml.etree.ElementTree",
            "bioguard.report.model": "import xml.etree.ElementTree",
        },
    ),
    (
        "reads the boot id of the host, the time offsets of its own namespace, or random bytes of the kernel",
        {
            "tee_sim.normal.machine.boot_id": ".read_bytes",
            "tee_sim.shared.clock": ".read_text",
            "tee_sim.shared.rng": "os.urandom",
        },
    ),
)


def listed(reasons: Iterable[tuple[str, Mapping[str, str]]] = REASONS) -> Counter[tuple[str, str]]:
    """How often each module says each word."""
    found: Counter[tuple[str, str]] = Counter()
    for _, modules in reasons:
        for module, words in modules.items():
            for text in words.split(", "):
                word, _, times = text.partition(" *")
                found[module, word] += int(times or 1)
    return found
