"""Who a client says it is, as an application may ask (gpd.client.identity).

The normal world states the identities of its own clients: an application may tell them apart by it, and can believe no
more of it than of the normal world. That of another application (TRUSTED_APP) is the core's word.
"""

from enum import IntEnum, unique
from typing import Annotated
from uuid import UUID

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Fixed, Record


@unique
class Login(IntEnum):
    """Connection methods (TEE Client API 1.0, table 4-5; TEE Internal Core API 1.3.1, table 4-10)."""

    PUBLIC = 0
    USER = 1
    GROUP = 2
    APPLICATION = 4
    USER_APPLICATION = 5
    GROUP_APPLICATION = 6
    REE_KERNEL = 0x8000_0000
    """A driver of the normal world's kernel, which this one does not have: refused."""
    TRUSTED_APP = 0xF000_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity(Record):
    """TEE_Identity.

    Attributes:
        uuid: nil for PUBLIC; an application's own for TRUSTED_APP; else made from the ids of the login.
    """

    login: Login
    uuid: Annotated[bytes, Fixed(16)]

    def __str__(self) -> str:
        """The property as a string: decimal login, colon, UUID."""
        return f"{int(self.login)}:{UUID(bytes=self.uuid)}"


PUBLIC = ClientIdentity(login=Login.PUBLIC, uuid=bytes(16))
