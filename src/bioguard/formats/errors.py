"""How a parser refuses: one stable code, the byte offset, one hint.

The codes are listed with their meaning in docs/formats/minutiae.md section 7 and docs/formats/embeddings.md
section 5. A code never changes its meaning; a message may.
"""

from bioguard.errors import InputRefused

__all__ = ["DAMAGED", "refuse", "refuse_at"]

DAMAGED = "the file is damaged or was cut; export it again from its source"


def refuse(code: str, message: str, hint: str = DAMAGED) -> InputRefused:
    """Build the error for `raise`: code `format.<code>`."""
    return InputRefused(message, hint=hint, code=f"format.{code}")


def refuse_at(code: str, offset: int, message: str, hint: str = DAMAGED) -> InputRefused:
    """Like `refuse`, with the byte offset of the offending field in the message."""
    return refuse(code, f"{message} at byte {offset}", hint)
