"""Blocks of a campaign on Dask distributed: what is sent is functions by value, numbers and a seed."""

import logging
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from bench import blocks as travelling
from bench.blocks import Counts, code_digest, codes_of, histograms
from bioguard.errors import InputRefused

CONNECT_SECONDS = 10
RETRIES = 3
INSTALL = "install the wheel of this bioguard on the scheduler and on every worker; they need nothing else of it"
Block = tuple[int, int]
Job = tuple[int, int, int]
"""People, seed, people on a side of a block."""


def _refused(code: str, what: str, hint: str) -> InputRefused:
    return InputRefused(what, hint=hint, code=code)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of a scheduler whose workers count as this process does.

    Raises:
        InputRefused: `bench.cluster`: the extra is missing; `bench.scheduler`: nobody answers, or it has no worker;
            `bench.worker`: a worker cannot run the functions, or has other code.
    """
    try:
        distributed, cloudpickle = import_module("distributed"), import_module("cloudpickle")
    except ImportError as error:
        raise _refused("bench.cluster", f"{error.name} is not installed", "pip install 'bioguard[cluster]'") from error
    cloudpickle.register_pickle_by_value(travelling)
    _silence()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            hint = "name a scheduler that runs, for instance tcp://127.0.0.1:8786"
            raise _refused("bench.scheduler", f"no scheduler answers at {address}", hint) from error
        try:
            _refuse_other_code(client)
            yield client
        finally:
            with suppress(Exception):  # its scheduler may be gone
                client.close(timeout=2)


def _silence() -> None:
    """What Dask and its event loop would log of a lost scheduler, with tracebacks, is said by our errors."""
    for name in ("asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("asyncio", "distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _refuse_other_code(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        found: dict[str, str] = client.run(code_digest)
    except TimeoutError as error:
        hint = "start one: dask worker ADDRESS"
        raise _refused("bench.scheduler", "the scheduler has no worker", hint) from error
    except Exception as error:  # whatever a worker's Python raises: a module that is missing, other bytecode
        raise _refused("bench.worker", f"a worker cannot count: {type(error).__name__}: {error}", INSTALL) from error
    other = sorted(worker for worker, digest in found.items() if digest != code_digest())
    if other:
        raise _refused("bench.worker", f"{other[0]} has other code, {len(other)} of {len(found)} workers do", INSTALL)


def execute(client: Any, job: Job, blocks: Sequence[Block]) -> Iterator[tuple[Block, Counts]]:
    """Counts of blocks, in the order in which they are done. A worker that dies costs its blocks, others make them.

    Raises:
        InputRefused: `bench.scheduler_lost`: the scheduler went away; `bench.worker`: a block failed.
    """
    people, seed, size = job
    encode, count = (client.submit(pickle.loads, _by_value(f), pure=False) for f in (codes_of, histograms))
    apply = import_module("dask.utils").apply
    sides = {(b, view) for block in blocks for view, b in enumerate(block)}
    codes = {
        (b, view): client.submit(apply, encode, (seed, people, size, b, view), pure=False, retries=RETRIES)
        for b, view in sorted(sides)
    }
    futures = {
        client.submit(apply, count, (codes[r, 0], codes[c, 1], r == c), pure=False, retries=RETRIES): (r, c)
        for r, c in blocks
    }
    as_completed = import_module("distributed").as_completed
    for future, counts in as_completed(futures, loop=client.loop, with_results=True, raise_errors=False):
        if future.status == "error":
            raise _refused("bench.worker", f"a block failed on the workers: {_one_line(future.exception())}", INSTALL)
        if future.status != "finished" or isinstance(counts, BaseException):
            raise _refused("bench.scheduler_lost", "scheduler lost", "run the same command again, without or with it")
        yield futures[future], counts


def _by_value(function: Callable[..., object]) -> bytes:
    """The function itself, for whoever has no module of this name: Dask alone sends names inside of a task."""
    payload: bytes = import_module("cloudpickle").dumps(function)
    return payload


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
