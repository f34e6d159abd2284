"""What the frame protocol adds to a call, beside the same call of the facade, and how many events it tells a second."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from bioguard.device import Device, DeviceOptions, pins
from bioguard.records.modality import Modality
from bioguard.serve.v2.table import BY_NAME
from tee_sim.shared import codec

CALLS_PER_ROUND: Final = 10
AHEAD: Final = 20
"""Requests that are written before the answer of the first is read, where events are counted."""
_SENSOR: Final = 1
_NAME: Final = b"ada"


class PipeClient:
    """A client of `bioguard serve --stdio --protocol 2`, as small as one can be."""

    def __init__(self, directory: Path) -> None:
        line = [sys.executable, "-m", "bioguard.cli", "-q", "--device", str(directory), "serve", "--stdio"]
        self.process = subprocess.Popen([*line, "--protocol", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._to, self._from = self.process.stdin, self.process.stdout
        self._number = 0
        self.frame()

    def ask(self, name: str, *fields: object) -> None:
        """Write a request."""
        self._number += 1
        body = codec.encode([2, self._number, BY_NAME[name].number, list(fields)])
        self._to.write(len(body).to_bytes(4, "little") + body)
        self._to.flush()

    def frame(self) -> list[Any]:
        """Read a frame."""
        size = int.from_bytes(self._from.read(4), "little")
        read = codec.decode(self._from.read(size))
        assert isinstance(read, list)
        return read

    def call(self, name: str, *fields: object) -> list[Any]:
        """Ask, and read until the answer; events are left."""
        self.ask(name, *fields)
        while (frame := self.frame())[2] == 2:
            pass
        answer: list[Any] = frame[3]
        return answer

    def close(self) -> None:
        """End the server."""
        self._to.close()
        self.process.wait(timeout=60)
        self._from.close()


def costs(rounds: int) -> dict[str, Any]:
    """Run the measures, on two devices that were made alike: of one the facade is called, the other one is served.

    Returns:
        For each call `{facade, pipe}` with `{p50_us, p95_us, calls}`, and `over_us`: the median over rounds of ten
        calls of the median through the pipe less the median of the facade in the same round; `events_per_s`.
    """
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as folder:
        served = Path(folder) / "served"
        _made(served).close()
        device, client = _made(Path(folder) / "called"), PipeClient(served)
        try:
            pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
                "users": (device.users, lambda: client.call("users")),
                "lock_status": (
                    lambda: pins.lock_info(device, _NAME.decode(), Modality.FACE),
                    lambda: client.call("lock_status", _NAME, _SENSOR),
                ),
            }
            found = {name: _beside(*pair, rounds) for name, pair in pairs.items()}
            return {"calls": found, "events_per_s": _events(client, rounds)}
        finally:
            client.close()
            device.close()


def _made(directory: Path) -> Device:
    device = Device.init(directory, DeviceOptions(seed="bench serve"))
    device.add_user(_NAME.decode())
    return device


def _timed_us(call: Callable[[], object]) -> list[float]:
    took = []
    for _ in range(CALLS_PER_ROUND):
        begun = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - begun) / 1000)
    return took


def _beside(facade: Callable[[], object], pipe: Callable[[], object], rounds: int) -> dict[str, Any]:
    by_round = [(_timed_us(facade), _timed_us(pipe)) for _ in range(rounds)]
    return {
        "facade": _quantiles([one for took, _ in by_round for one in took]),
        "pipe": _quantiles([one for _, took in by_round for one in took]),
        "over_us": statistics.median(statistics.median(b) - statistics.median(a) for a, b in by_round),
    }


def _quantiles(us: list[float]) -> dict[str, float]:
    return {"p50_us": float(np.quantile(us, 0.5)), "p95_us": float(np.quantile(us, 0.95)), "calls": len(us)}


def _events(client: PipeClient, rounds: int) -> dict[str, float]:
    (session,) = client.call("create_session", _NAME, _SENSOR)
    rates: dict[str, float] = {}
    mixes: dict[str, list[tuple[Any, ...]]] = {
        "one of a question each": [("revoke_challenge", session, 1)] * AHEAD,
        "of the session alone": [("detect_interaction", session, None), ("cancel", session, None)] * (AHEAD // 2),
    }
    for name, asked in mixes.items():
        told, begun = 0, time.perf_counter()
        for _ in range(rounds):
            for request in asked:
                client.ask(*request)
            answers = 0
            while answers < len(asked):
                if client.frame()[2] == 2:
                    told += 1
                else:
                    answers += 1
        rates[name] = told / (time.perf_counter() - begun)
    return rates


def lines(found: dict[str, Any]) -> list[str]:
    """The result for people, times in microseconds."""
    said = [f"{'call':16}{'facade p50':>12}{'pipe p50':>12}{'over':>10}"]
    for name, one in found["calls"].items():
        said.append(f"{name:16}{one['facade']['p50_us']:12.0f}{one['pipe']['p50_us']:12.0f}{one['over_us']:10.0f}")
    return [*said, *(f"events a second, {name}: {rate:.0f}" for name, rate in found["events_per_s"].items())]
