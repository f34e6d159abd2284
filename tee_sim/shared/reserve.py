"""What a store keeps for erasures, and when it comes to that. Shared by both worlds and the trusted applications."""

from enum import IntEnum, unique

from tee_sim.shared.errors import TeeError, TeeResult


@unique
class Reserve(IntEnum):
    """What a transaction may use of the disk space and of the RPMB counter values that are kept for erasures.

    NONE       nothing: ordinary work ends before they are touched
    ANCHORED   space and counter values: what must go on as long as it can be anchored, such as counting PIN attempts
    ALL        also what is left when no counter value is: the anchor moves to the disk, where a rollback is not noticed

    An application may ask for as much as its manifest states, and no more: whoever may use all could spend it, and
    nobody could erase then.
    """

    NONE = 0
    ANCHORED = 1
    ALL = 2


def refuse_more_than(allowed: Reserve, asked: Reserve) -> None:
    """Raises TeeError ACCESS_DENIED for a transaction that asks for more than the manifest states."""
    if asked > allowed:
        why = f"the transaction asks for the reserve {asked.name.lower()}, the manifest states {allowed.name.lower()}"
        hint = f'write in the manifest, if people\'s requests depend on it: reserve = "{asked.name.lower()}"'
        raise TeeError(TeeResult.ACCESS_DENIED, why, hint=hint)


@unique
class Condition(IntEnum):
    """Whether and for what a store can be written.

    COUNTER_RESERVED   few RPMB counter values are left: for erasures and what leads to them
    COUNTER_SPENT      none is left: for erasures and requests, anchored on the disk
    READ_ONLY          the RPMB could not be written when the store was opened
    """

    WRITABLE = 0
    COUNTER_RESERVED = 1
    COUNTER_SPENT = 2
    READ_ONLY = 3
