"""Refuse a request: with an answer of the declared type, not with an error of the secure world."""

from bioguard.commands.status import ReplyStatus


class Refused(Exception):
    """The request is refused; `status` is the answer. Nothing was changed."""

    def __init__(self, status: ReplyStatus) -> None:
        super().__init__(status.name)
        self.status = status
