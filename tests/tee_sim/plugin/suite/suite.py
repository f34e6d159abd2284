"""The suite that runs both ways: what each try comes to is written down, and compared outside."""

import os
from contextlib import suppress

import numpy as np
import pytest
from odd.commands import TRY, Try

from tee_sim.normal.operation import CancellableOperation
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import Param

np.seterr(all="raise")  # the test's settings are not the application's


def outcome(tee, number):
    """What a try comes to for its caller, and whether the next session is served."""
    session = tee.session()
    try:
        said = str(session.call(TRY, Try(number=number)).value)
    except TeeError as error:
        said = error.result.name
    try:
        after = str(tee.session().call(TRY, Try(number=101)).value)
    except TeeError as error:
        after = error.result.name
    return f"{said}, then {after}"


@pytest.mark.parametrize("number", range(1, 41))
def test_try(tee, number, record_property):
    record_property("outcome", outcome(tee, number))


@pytest.mark.parametrize("end", ["restart", "power_cut"])
def test_state(tee, end, record_property):
    """Global variables go with the boot, the store stays."""
    session = tee.session()
    values = [session.call(TRY, Try(number=15)).value for _ in range(3)]
    session.call(TRY, Try(number=100))
    getattr(tee, end)()
    values += [tee.session().call(TRY, Try(number=number)).value for number in (15, 101)]
    record_property("outcome", str(values))


@pytest.mark.parametrize("plan", ["commit@1: die-before", "commit@1: die-after", "commit: enospc", "read@1+: eio"])
def test_fault(tee, plan, record_property):
    session = tee.session()
    tee.fault(plan)
    try:
        said = str(session.call(TRY, Try(number=100)).value)
    except TeeError as error:
        said = f"{error}, hint {error.hint}"
    fired = tee.fired
    tee.fault("")
    try:
        after = str(tee.session().call(TRY, Try(number=101)).value)
    except TeeError as error:  # what was written is not known: the store is shut until it is opened again
        after = error.result.name
        tee.restart()
        after += f", then {tee.session().call(TRY, Try(number=101)).value}"
    record_property("outcome", f"{said}; {fired}; {tee.notes}; then {after}")


@pytest.mark.parametrize("number", [8, 9, 11, 22, 28, 29, 30])
def test_state_after_a_panic(tee, number, record_property):
    """Global variables are those of the instance's process, or of the next one."""
    session = tee.session()
    values = [session.call(TRY, Try(number=15)).value for _ in range(3)]
    with pytest.raises(TeeError):
        session.call(TRY, Try(number=number))
    values.append(tee.session().call(TRY, Try(number=15)).value)
    record_property("outcome", str(values))


@pytest.mark.parametrize("number", [15, 9, 11])
def test_its_environment(tee, number, record_property):
    """What it changes in it is its own, and gone with its process."""
    session = tee.session()
    values = [session.call(TRY, Try(number=n)).value for n in (37, 38, 37)]
    with suppress(TeeError):
        session.call(TRY, Try(number=number))
    values.append(tee.session().call(TRY, Try(number=37)).value)
    assert "HOME" in os.environ
    assert "ODD" not in os.environ
    record_property("outcome", str(values))


def test_cancelled(tee, record_property):
    """An application that waits notices that its client does not want the answer any more."""
    operation = CancellableOperation()
    operation.cancel()
    session = tee.session()
    params = (Param.memref(Try(number=102).to_bytes()), Param.output(64), Param.none(), Param.none())
    with pytest.raises(TeeError) as caught:
        session.invoke(TRY.number, params, operation=operation)
    record_property("outcome", str(caught.value))


def test_time(tee, record_property):
    before = tee.context.time()
    tee.advance_clock(5000)
    after = tee.context.time()
    record_property("outcome", f"{before.wall_ms} {after.wall_ms - before.wall_ms}")


def test_a_failure_of_the_test(tee):
    assert tee.session().call(TRY, Try(number=15)).value == 2
