"""Refuse what was given, before anything is sent or made."""

from tee_sim.shared.errors import Origin, TeeError, TeeResult


def refused(why: str, hint: str) -> TeeError:
    """The error to raise for a word, a name or a path that cannot be used."""
    return TeeError(TeeResult.BAD_PARAMETERS, why, origin=Origin.API, hint=hint)
