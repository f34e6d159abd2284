"""Receipts of a device for what it erased."""

from collections.abc import Sequence

from bioguard.commands import policy as commands
from bioguard.commands.status import Nothing
from bioguard.device.consent import signed_log
from bioguard.device.facade import Device
from bioguard.device.recognition import Recognition
from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.proofs.notes import NoteKey, assemble
from bioguard.proofs.origin import records_origin
from bioguard.proofs.records_head import RecordsHead

_HEX_DIGEST = 64


def _digest(text: str) -> bytes:
    if not isinstance(text, str) or len(text) != _HEX_DIGEST or set(text) - set("0123456789abcdef"):
        raise InputRefused("a digest has 64 hexadecimal digits", hint="`erase` prints it", code="receipt.digest")
    return bytes.fromhex(text)


def erasure_receipt(device: Device, digests: Sequence[str]) -> ErasureReceipt:
    """The verified receipt for the erased records with these salted digests (hex).

    Reads the log and lists all records: the cost grows with both.

    Raises:
        InputRefused: not a list of digests, not a digest, no erasure of it in the log, or its entry was pruned.
        IntegrityFailure: what was read is not what the secure world signed.
    """
    if not isinstance(digests, Sequence) or isinstance(digests, str | bytes):
        raise InputRefused(
            f"a {type(digests).__name__} is no list of digests", hint="give a list or a tuple", code="request.argument"
        )
    wanted = [_digest(digest) for digest in digests]
    log = signed_log(device)
    answer = device.ask(commands.RECORDS_HEAD, Nothing())
    if answer.root is None or answer.store_root is None or answer.signature is None:
        raise IntegrityFailure("the secure world signed nothing", hint="run: bioguard doctor", code="receipt.empty")
    key = NoteKey(records_origin(log.key.public_key), log.key.public_key)
    head = RecordsHead(
        origin=key.name,
        size=answer.size,
        root=answer.root,
        log_size=answer.log_size,
        epoch=answer.epoch,
        store_root=answer.store_root,
    )
    present = [record.digest for record in Recognition(device).records()]
    receipt = ErasureReceipt.of(log, assemble(head.text(), [(key, answer.signature)]), present, wanted)
    receipt.verify()
    return receipt
