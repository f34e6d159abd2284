"""Remove a user: what is kept of the person in every trusted application, then the name."""

from collections.abc import Callable
from pathlib import Path

from bioguard.commands import biometric, gatekeeper
from bioguard.commands.biometric import EraseAuthorization
from bioguard.commands.status import ReplyStatus
from bioguard.device.password_handles import PasswordHandles
from bioguard.device.recognition import Host, Recognition
from bioguard.device.user_registry import UserRegistry


def remove_user(
    device: Host,
    directory: Path,
    users: UserRegistry,
    name: str,
    leave: EraseAuthorization,
    *,
    forget_pin: Callable[[gatekeeper.DeleteUser], object],
) -> tuple[str, ...]:
    """`Device.remove_user`.

    Args:
        forget_pin: has the PIN application forget the user.
    """
    gone = (ReplyStatus.UNKNOWN_USER,)
    handle = users.handle(name, even_if_gone=True)
    digests = Recognition(device).digests_before_removal(handle, expected=gone)
    request = biometric.RemoveUser(user=handle, leave=leave)
    device.ask(biometric.REMOVE_USER, request, about=repr(name), expected=gone)
    forget_pin(gatekeeper.DeleteUser(user=handle))
    handles = PasswordHandles.load(directory)
    if handles.users.pop(handle, None) is not None:
        handles.save()
    users.forget(name)
    return digests
