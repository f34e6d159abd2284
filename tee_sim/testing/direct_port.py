"""Call the supplicant without a pipe, through the same frames."""

from typing import cast

from tee_sim.normal.secure_process import StorageHandler, answer_storage
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.wire import HEAD_BYTES, StorageCall, StorageReply, pack, unpack


class DirectPort:
    """`tee_sim.secure.supplicant_client.SupplicantPort` in one process."""

    def __init__(self, storage: StorageHandler) -> None:
        self._storage = storage

    def call(self, operation: int, request: list[object]) -> object:
        """One request to the disk or the RPMB. Raises TeeError as the supplicant does."""
        asked = cast("StorageCall", unpack(pack(StorageCall(operation=operation, request=request))[HEAD_BYTES:]))
        answer = cast("StorageReply", unpack(answer_storage(self._storage, asked)[HEAD_BYTES:]))
        if answer.result is not TeeResult.SUCCESS:
            raise TeeError(answer.result, "the supplicant could not do it")
        return answer.reply
