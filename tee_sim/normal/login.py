"""Identities of clients of the normal world, made as Linux's driver for TEEs makes them.

A name-based UUID (RFC 4122 version 5) of the ids of the process, in a name space that the driver keeps for it. The
logins of applications are a proposal that was never merged (`app=`, after the ids), and the name of the application is
the caller's word here, where a kernel would look at the process.
"""

import os
from collections.abc import Callable
from uuid import UUID, uuid5

from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.login import PUBLIC, ClientIdentity, Login

NAME_SPACE = UUID("58ac9ca0-2086-4683-a1b8-ec4bc08e01b6")

_NAMES: dict[Login, Callable[[int, int | None, str | None], str]] = {
    Login.USER: lambda uid, _gid, _app: f"uid={uid:x}",
    Login.GROUP: lambda _uid, gid, _app: f"gid={gid:x}",
    Login.APPLICATION: lambda _uid, _gid, app: f"app={app}",
    Login.USER_APPLICATION: lambda uid, _gid, app: f"uid={uid:x}:app={app}",
    Login.GROUP_APPLICATION: lambda _uid, gid, app: f"gid={gid:x}:app={app}",
}
_OF_A_GROUP = frozenset({Login.GROUP, Login.GROUP_APPLICATION})
_OF_AN_APPLICATION = frozenset({Login.APPLICATION, Login.USER_APPLICATION, Login.GROUP_APPLICATION})


def _refused(result: TeeResult, why: str) -> TeeError:
    return TeeError(result, why, origin=Origin.API, hint="nothing was sent")


def client_identity(login: Login, *, group: int | None = None, application: str | None = None) -> ClientIdentity:
    """Who this process is under a connection method.

    Args:
        group: connection data of the methods of a group: its id. This process must be in it.
        application: name of the application, for the methods of one.

    Raises:
        TeeError: of origin API: BAD_PARAMETERS for data that the method does not take or lacks; ACCESS_DENIED for a
            group of others, and for the methods of kernel drivers and trusted applications.
    """
    if not isinstance(login, Login):
        raise _refused(TeeResult.BAD_PARAMETERS, "login: no connection method")
    if login == Login.PUBLIC and group is None and application is None:
        return PUBLIC
    if login not in _NAMES and login is not Login.PUBLIC:
        raise _refused(TeeResult.ACCESS_DENIED, f"login {login.name} is not for clients of the normal world")
    if (group is not None) != (login in _OF_A_GROUP):
        raise _refused(TeeResult.BAD_PARAMETERS, "group: goes with the logins of a group, and with no other")
    if (application is not None) != (login in _OF_AN_APPLICATION):
        raise _refused(TeeResult.BAD_PARAMETERS, "application: goes with the logins of one, and with no other")
    if group is not None and group not in (os.getegid(), *os.getgroups()):
        raise _refused(TeeResult.ACCESS_DENIED, f"this process is not in group {group}")
    return identity_of(login, os.geteuid(), group, application)


def identity_of(login: Login, user: int, group: int | None, application: str | None) -> ClientIdentity:
    """Who a process with these ids is. Raises as `client_identity`, whose caller has looked at the group."""
    if login is Login.PUBLIC:
        return PUBLIC
    if login not in _NAMES:
        raise _refused(TeeResult.ACCESS_DENIED, f"login {login.name} is not for clients of the normal world")
    if (group is not None) != (login in _OF_A_GROUP):
        raise _refused(TeeResult.BAD_PARAMETERS, "group: goes with the logins of a group, and with no other")
    name = _NAMES[login](user, group, application)
    return ClientIdentity(login=login, uuid=uuid5(NAME_SPACE, name).bytes)
