"""Runs commands of the application that misbehaves, as `tee-sim run` has it: NAME or a number, then a number for a."""

import sys

from tee_sim.normal.connect import connect
from tee_sim.shared.errors import TeeError
from tests.native.host.test_entry_points import DO, NONE, OUT, inout
from tests.native.host.test_locked import ROUGH

session = connect().open_session(ROUGH)
for word in sys.argv[1:]:
    name, _, number = word.partition(":")
    command = DO[name] if name in DO else int(name)
    first = OUT if name == "COUNT" else inout(int(number or 0))
    try:
        answer = session.invoke(command, (first, OUT if name == "COUNT" else NONE, NONE, NONE))
        sys.stdout.write(f"{name} {answer[0].a}\n")
    except TeeError as error:
        sys.stdout.write(f"{name} {error.result.name}\n")
    sys.stdout.flush()
session.close()
