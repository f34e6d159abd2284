"""TEE_AllocatePersistentObjectEnumerator and its family (Internal Core API 1.3.1, section 5.8)."""

from tee_sim.gp_objects.constants import ObjectInfo
from tee_sim.gp_objects.names import KEY_KIND, KIND, StoredBody
from tee_sim.gp_objects.objects import info_of
from tee_sim.gp_objects.panics import guard
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.ta_api import Store


class Enumerators:
    """Enumerators of one TA instance. Handle 0 is TEE_HANDLE_NULL.

    `start` takes the list of ids; objects deleted since are left out by `get_next`, new ones are not in it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._left: dict[int, list[bytes] | None] = {}
        self._next = 1

    def __len__(self) -> int:
        """How many are allocated."""
        return len(self._left)

    def allocate(self) -> int:
        """A new enumerator, not started."""
        number, self._next = self._next, self._next + 1
        self._left[number] = None
        return number

    def free(self, number: int) -> None:
        """Give it back. Handle 0 is left alone."""
        with guard(Function.FREE_PERSISTENT_OBJECT_ENUMERATOR):
            if number:
                self._known(number)
                del self._left[number]

    def reset(self, number: int) -> None:
        """As freshly allocated. Handle 0 is left alone."""
        with guard(Function.RESET_PERSISTENT_OBJECT_ENUMERATOR):
            if number:
                self._known(number)
                self._left[number] = None

    def start(self, number: int) -> None:
        """Begin from the first object. Raises TeeError ITEM_NOT_FOUND if there is none."""
        with guard(Function.START_PERSISTENT_OBJECT_ENUMERATOR):
            self._known(number)
            names = [header.object_id for header in self._store.headers() if header.kind in (KIND, KEY_KIND)]
            if not names:
                raise TeeError(TeeResult.ITEM_NOT_FOUND, "no objects")
            self._left[number] = names[::-1]

    def get_next(self, number: int) -> tuple[bytes, ObjectInfo]:
        """Id and info of the next object. Raises TeeError ITEM_NOT_FOUND after the last, or if not started."""
        with guard(Function.GET_NEXT_PERSISTENT_OBJECT):
            left = self._known(number)
            while left:
                name = left.pop()
                try:
                    body = StoredBody.of(name, self._store.get(name))
                except TeeError as error:
                    if error.result is not TeeResult.ITEM_NOT_FOUND:
                        raise
                else:
                    return body.object_id, info_of(body)
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no more objects")

    def _known(self, number: int) -> list[bytes] | None:
        if number not in self._left:
            raise TeeError(TeeResult.BAD_PARAMETERS, "no such enumerator")
        return self._left[number]
