"""An operation that its client may cancel while it runs (TEEC_Operation, TEEC_RequestCancellation).

    operation = CancellableOperation()
    threading.Timer(1.0, operation.cancel).start()
    session.invoke(command, params, operation=operation)

A request and no more: an application notices it if and when it asks, and may go on.
"""

import threading

from tee_sim.shared.errors import Origin, TeeError, TeeResult


class CancellableOperation:
    """The cancellation of one invocation, or of one opening of a session; made for it and used once."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._started = False

    def cancel(self) -> None:
        """TEEC_RequestCancellation, from any thread, before or while it runs; afterwards it does nothing."""
        self._cancelled.set()

    def begin(self) -> None:
        """Called where it is sent. Raises TeeError BAD_PARAMETERS, origin API, the second time."""
        if self._started:
            raise TeeError(
                TeeResult.BAD_PARAMETERS,
                "operation: it was used before, and may have been cancelled then",
                origin=Origin.API,
                hint="make one for each call",
            )
        self._started = True

    def wait(self, timeout_ms: float) -> bool:
        """Until it is cancelled, or the time is over. Returns whether it is cancelled."""
        return self._cancelled.wait(timeout_ms / 1000)
