"""How a parser refuses and warns: stable codes, the byte offset, one hint that can be followed.

The codes are listed with their meaning in docs/formats/minutiae.md sections 8 and 9 and docs/formats/embeddings.md
section 5. A code never changes its meaning; a message may.
"""

from bioguard.errors import InputRefused
from tee_sim.shared.dataclass import dataclass

CUT = "the file ends too early: copy it, or export it, again from its source"
BROKEN = "its writer does not keep to the format, or the file was altered: export it again, or in another format"


@dataclass(frozen=True, slots=True)
class ImportWarning:
    """Something a person should look at. `code` is stable; `message` is one line."""

    code: str
    message: str


def refuse(code: str, message: str, hint: str = BROKEN) -> InputRefused:
    """Build the error for `raise`: code `format.<code>`."""
    return InputRefused(message, hint=hint, code=f"format.{code}")


def refuse_at(code: str, offset: int, message: str, hint: str = BROKEN) -> InputRefused:
    """Like `refuse`, with the byte offset of the offending field in the message."""
    return refuse(code, f"{message} at byte {offset}", hint)
