"""`bioguard scenario`: inputs of a client in a file, run on a device that is made for them."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.exit_codes import ExitCode
from bioguard.serve.scenario.compare import first_difference
from bioguard.serve.scenario.run import Outcome, Source, check, require_repeatable, run
from bioguard.simulate.scenario.document import parse_scenario, scenario_bytes
from bioguard.simulate.scenario.writer import scenario_text
from bioguard.user_files import check_output, write_output
from tee_sim.shared.dataclass import dataclass

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@dataclass(frozen=True, slots=True)
class _Ran:
    source: Source
    outcome: Outcome

    @property
    def data(self) -> dict[str, object]:
        return {
            "inputs": len(self.source.scenario.inputs),
            "events": len(self.outcome.told),
            "never_fired": list(self.outcome.unused),
        }


@click.group()
def scenario() -> None:
    """Scenarios: a device, its faults, what a client asks and is told, in one file (docs/formats/scenario.md)."""


def _read(path: Path) -> Source:
    data = scenario_bytes(path)
    return Source(parse_scenario(data, path.name), data, path)


def _run(state: CliState, path: Path) -> _Ran:
    """Run a scenario that is the same each time; note what never fired."""
    source = _read(path)
    require_repeatable(source)
    ran = _Ran(source, run(source, state.options))
    for silent in ran.outcome.unused:
        state.output.note(f"never fired: {silent}")
    return ran


@scenario.command("check")
@_FILE
def check_file(file: Path) -> Result:
    """Read a scenario strictly, with every field of every input; make no device.

    \b
    Example:
      bioguard scenario check docs/examples/scenarios/enroll-and-unlock.toml
    """
    source = _read(file)
    check(source)
    inputs, events = len(source.scenario.inputs), len(source.scenario.events)
    return Result(
        outcome="checked",
        data={"inputs": inputs, "events": events, "sensors": len(source.scenario.sensors)},
        lines=[f"{file}: {inputs} inputs, {events} events"],
    )


@scenario.command()
@_FILE
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there instead of into FILE.")
@pass_state
def record(state: CliState, file: Path, out: Path | None) -> Result:
    """Run a scenario on a new device and write the events that came into it, in its one form: comments are lost.

    \b
    Example:
      bioguard scenario record docs/examples/scenarios/lockout.toml --out FILE.toml
    """
    target = out or file
    check_output(target)
    ran = _run(state, file)
    write_output(target, scenario_text(ran.source.recorded(ran.outcome.told)).encode(), private=True)
    return Result(
        outcome="recorded",
        data=ran.data | {"file": str(target)},
        lines=[f"{target}: {len(ran.outcome.told)} events of {len(ran.source.scenario.inputs)} inputs"],
        next_step=f"bioguard scenario replay {target}",
    )


@scenario.command()
@_FILE
@pass_state
def replay(state: CliState, file: Path) -> Result:
    """Run a scenario on a new device and hold every event against those in it. Exit 3 at the first difference.

    \b
    Example:
      bioguard scenario replay docs/examples/scenarios/enroll-and-unlock.toml
    """
    ran = _run(state, file)
    found = first_difference(ran.source.scenario.events, tuple(ran.outcome.told))
    if found is None:
        return Result(
            outcome="same",
            data=ran.data | {"difference": None},
            lines=[f"{file}: {len(ran.outcome.told)} events, the same bytes"],
        )
    return Result(
        outcome="different",
        data=ran.data
        | {
            "difference": {
                "event": found.number,
                "input": found.after,
                "expected": found.expected,
                "came": found.came,
            }
        },
        lines=[
            f"{file}: event {found.number}, over input {found.after}, is another",
            f"expected: {found.expected}",
            f"came:     {found.came}",
        ],
        exit_code=ExitCode.NO,
    )


@scenario.command()
@_FILE
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to write them.")
@pass_state
def frames(state: CliState, file: Path, out: Path) -> Result:
    """Run a scenario on a new device and write every frame as it stands on the pipe: for tests of clients.

    Each is one byte, `>` for a request or `<` for what the server sends, then the frame with its length. A client that
    sends the requests to a device fresh from `device init --scenario FILE` gets the same bytes.

    \b
    Example:
      bioguard scenario frames docs/examples/scenarios/enroll-and-unlock.toml --out frames.bin
    """
    check_output(out)
    ran = _run(state, file)
    written = b"".join((b">" if sent else b"<") + frame for sent, frame in ran.outcome.frames)
    write_output(out, written, private=True)
    return Result(
        outcome="written",
        data=ran.data | {"frames": len(ran.outcome.frames), "file": str(out)},
        lines=[f"{out}: {len(ran.outcome.frames)} frames, {len(written)} bytes"],
    )
