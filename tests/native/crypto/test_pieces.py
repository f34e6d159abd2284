"""A call that takes several questions is one call: a fault at call N does not depend on how long messages are."""

import pytest

from tee_sim.shared.errors import TeeError, TeeResult
from tests.native.builds import TAS, Builds
from tests.native.conftest import machine_of
from tests.native.crypto.ta import DIGEST
from tests.native.crypto.test_vectors_in_c import run

# Allocate, two frees of no object, the operation's class, the digest, and the free of the operation.
CALLS = 6


@pytest.mark.parametrize(("fault", "survives"), [(CALLS, False), (CALLS + 1, True)])
def test_a_long_digest_counts_once(builds: Builds, fault: int, survives: bool) -> None:
    with machine_of(builds.ta(TAS / "vectors", 13), fault=f"ta.call@{fault}: panic") as tee:
        message = bytes(400_000)
        if survives:
            assert len(run(tee, "SHA256", DIGEST, message=message)) == 32
            return
        with pytest.raises(TeeError) as caught:
            run(tee, "SHA256", DIGEST, message=message)
        assert caught.value.result == TeeResult.TARGET_DEAD
