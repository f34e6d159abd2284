"""`bioguard log` and `bioguard attest`: the transparency log, its proofs, and the device's own statement."""

import codecs
import re
from pathlib import Path

import click

from bioguard.cli.output import Result, table
from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.device import consent as rules
from bioguard.device.data_export import entry_fields
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import InputRefused
from bioguard.log.document_kinds import Kind, kind_of
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.signed_log import SignedLog
from bioguard.log.store_copy import check_image
from bioguard.proofs.checkpoint import TlogProof, proof_of
from bioguard.proofs.notes import NoteKey
from bioguard.proofs.psa_token import EatProfile
from bioguard.text import hex_bytes, iso, word
from bioguard.user_files import check_output, read_input, write_output

HEX_DIGEST = 64
_LEAF = re.compile(rf"[0-9a-fA-F]{{{HEX_DIGEST}}}")
out_option = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here.", metavar="FILE"
)
key_option = click.option("--key", "vkey", help="Verifier key name+id+key from a source you trust.", metavar="VKEY")


@click.group()
def log() -> None:
    """The transparency log: numbered entries, a Merkle tree, signed checkpoints. No feature, name or score is in it."""


def _read(state: CliState, out: Path | None = None) -> SignedLog:
    if out is not None:
        check_output(out)
    with state.device() as device:
        return rules.signed_log(device)


def _written(outcome: str, text: str, out: Path | None, data: dict[str, object]) -> Result:
    if out is not None:
        write_output(out, text.encode())
    lines = [f"written to {out}"] if out else text.rstrip("\n").split("\n")
    return Result(outcome=outcome, data={**data, "out": str(out) if out else None}, lines=lines)


@log.command()
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="How many entries.")
@out_option
@pass_state
def show(state: CliState, last: int, out: Path | None) -> Result:
    """Show the latest entries; --out writes the whole log as a file that `log verify` takes."""
    read = _read(state, out)
    entries = [i.entry for i in read.items if i.entry is not None][-last:]
    rows = [
        (e.sequence, word(e.event), word(e.modality or ""), word(e.purpose or ""), word(e.cause or ""),
         e.subject.hex()[:8] if e.subject else "", e.digest.hex()[:16] if e.digest else "")
        for e in entries
    ]  # fmt: skip
    if out is not None:
        write_output(out, read.to_text().encode())
    return Result(
        outcome="listed",
        data={"size": len(read.items), "first_body": read.first_body, "entries": [entry_fields(e) for e in entries]},
        lines=table(rows, header=("number", "event", "modality", "purpose", "cause", "subject", "digest")),
    )


@log.command()
@out_option
@pass_state
def checkpoint(state: CliState, out: Path | None) -> Result:
    """Print the signed checkpoint. Keep it: later logs must contain it (`log verify FILE --older CHECKPOINT`)."""
    read = _read(state, out)
    data: dict[str, object] = {"checkpoint": read.checkpoint, "vkey": read.key.vkey, "size": len(read.items)}
    return _written("signed", read.checkpoint, out, data)


@log.command()
@click.argument("number", type=click.IntRange(0))
@out_option
@pass_state
def prove(state: CliState, number: int, out: Path | None) -> Result:
    """Prove that entry NUMBER is in the log, as a `.tlog-proof` file."""
    read = _read(state, out)
    if number >= len(read.items):
        raise InputRefused(f"the log has {len(read.items)} entries", hint="run: bioguard log show", code="log.number")
    text = proof_of(read.leaves, number, read.checkpoint).to_text()
    leaf = read.leaves[number].hex()
    return _written("proved", text, out, {"proof": text, "leaf": leaf, "vkey": read.key.vkey})


@log.command()
@click.argument("digests", nargs=-1, required=True, metavar="DIGEST...")
@out_option
@pass_state
def receipt(state: CliState, digests: tuple[str, ...], out: Path | None) -> Result:
    """The receipt for erased records: they are in the log, and not in the store. By the digests `erase` printed."""
    if out is not None:
        check_output(out)
    with state.device() as device:
        text = erasure_receipt(device, digests).to_text()
    return _written("proved", text, out, {"receipt": text})


@log.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@key_option
@click.option("--leaf", help="For a .tlog-proof: the leaf hash, 64 hexadecimal digits.", metavar="HEX")
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="For a receipt: a copy of storage.db of the same moment, to be searched.",
    metavar="FILE",
)
@click.option(
    "--older",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="For a log: a checkpoint kept from before, which the log must contain.",
    metavar="CHECKPOINT",
)
@pass_state
def verify(
    state: CliState, file: Path, vkey: str | None, leaf: str | None, store: Path | None, older: Path | None
) -> Result:
    """Verify a log file, a `.tlog-proof` or an erasure receipt. Needs no device.

    With a checkpoint kept from before, a log that lost entries or has other ones than it had is found: exit 7.

    \b
    Examples:
      bioguard log verify log.json --key VKEY
      bioguard log verify log.json --older checkpoint.txt
      bioguard log verify receipt.json --key VKEY --store copy-of-storage.db
    """
    key = None if vkey is None else NoteKey.parse(vkey)  # an empty one is a mistake, not the wish to pin nothing
    text = _text(file)
    kind = Kind.PROOF if file.suffix == ".tlog-proof" else kind_of(text)
    for given, name, only in ((leaf, "--leaf", Kind.PROOF), (store, "--store", Kind.RECEIPT)):
        if given is not None and kind is not only:
            raise click.UsageError(f"{name} is for {only}")
    if older is not None and kind in (Kind.PROOF, Kind.RECEIPT):
        raise click.UsageError(f"--older is for {Kind.LOG}")
    older_size = None
    if kind is Kind.PROOF:
        shown = _verify_proof(text, key, leaf)
    elif kind is Kind.RECEIPT:
        shown = _verify_receipt(text, key, store)
    elif kind in (Kind.LOG, Kind.UNKNOWN):
        shown, older_size = _verify_log(text, key, older)
    else:
        raise InputRefused(f"{file} is {kind}, not {Kind.LOG}", hint=_HINTS.get(kind, _FETCH), code="log.kind")
    if key is None:
        state.output.note("the key came from the file itself; give --key to know who signed")
    return Result(
        outcome="verified",
        data={"shown": shown, "pinned": key is not None, "older_size": older_size},
        lines=shown.split("\n"),
    )


def _text(path: Path) -> str:
    """The content with the line ends it has: they are signed.

    Raises:
        InputRefused: `log.text`: it begins with a byte order mark, which no file of bioguard has.
    """
    octets = read_input(path)
    for mark, name in _BYTE_ORDER_MARKS:
        if octets.startswith(mark):
            raise InputRefused(
                f"{path} begins with a byte order mark of {name}: a program saved it anew",
                hint="take the file as it was written, or save it as UTF-8 without a byte order mark",
                code="log.text",
            )
    return octets.decode("utf-8", "replace")


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_FETCH = "a log file is made by: bioguard log show --out log.json"
_HINTS = {
    Kind.CHECKPOINT: "give the log, and this with --older; a log file is made by: bioguard log show --out log.json",
    Kind.RECORDS: "give the whole receipt; it is made by: bioguard log receipt DIGEST --out receipt.json",
    Kind.VERIFIER_KEY: "give the key with --key, and the file that it verifies",
    Kind.ENVELOPE: "it is verified with its bundle: bioguard audit verify DIRECTORY",
    Kind.STORE: "a copy of the store is held against a receipt: bioguard log verify receipt.json --store FILE",
}


def _verify_proof(text: str, key: NoteKey | None, leaf: str | None) -> str:
    if key is None or leaf is None:
        raise InputRefused(
            f"{Kind.PROOF} needs --key and --leaf", hint="`log prove NUMBER --json` prints both", code="log.proof"
        )
    if _LEAF.fullmatch(leaf) is None:
        raise InputRefused(
            f"the leaf is not {HEX_DIGEST} hexadecimal digits",
            hint="`log prove NUMBER --json` prints it",
            code="log.proof",
        )
    hashed = bytes.fromhex(leaf)
    proof = TlogProof.parse(text)
    size = proof.verify(hashed, key).size
    return f"entry {proof.index} is in the signed log of {size} entries"


def _verify_log(text: str, key: NoteKey | None, older: Path | None) -> tuple[str, int | None]:
    read = SignedLog.parse(text)
    found = read.verify()
    if key is not None and key != read.key:
        raise InputRefused("the log is of another device", hint="give the key of this log", code="log.key")
    shown = f"{found.size} entries, no gap, root signed by {read.key.name}"
    if older is None:
        return shown, None
    note = _text(older)
    kind = kind_of(note)
    if kind is not Kind.CHECKPOINT:
        raise InputRefused(
            f"{older} is {kind}, not {Kind.CHECKPOINT}",
            hint="a checkpoint is made by: bioguard log checkpoint --out checkpoint.txt",
            code="log.kind",
        )
    size = read.verify_older(note).size
    grew = f"the {size} entries of the older checkpoint are its first, {found.size - size} were added"
    return "\n".join([shown, grew if size else "the older checkpoint is of an empty log: it shows nothing"]), size


def _verify_receipt(text: str, key: NoteKey | None, store: Path | None) -> str:
    found = ErasureReceipt.parse(text)
    head = found.verify(key)
    lines = [
        f"entry {e.entry.sequence}: the record with digest {e.digest.hex()} was erased at {iso(e.entry.wall_ms)}"
        for e in found.erasures
    ]
    left = f"none of them is among the {head.size - 2} record(s) that were left (store epoch {head.epoch})"
    if store is None:
        return "\n".join([*lines, left])
    size = check_image(store, found, head)
    return "\n".join(
        [*lines, left, f"{store.name} is that store; none of its {size} bytes are of an erased id or digest"]
    )


@click.command()
@click.option("--nonce", required=True, help="Yours, fresh: 64, 96 or 128 hexadecimal digits.", metavar="HEX")
@click.option(
    "--profile", type=click.Choice([p.value for p in EatProfile]), default=EatProfile.RFC9783.value, show_default=True
)
@out_option
@pass_state
def attest(state: CliState, nonce: str, profile: str, out: Path | None) -> Result:
    """A PSA attestation token (EAT, COSE_Sign1) over sandbox, filter, trusted applications, log and your nonce.

    Its lifecycle never says "secured": this is a simulator.
    """
    try:
        challenge = hex_bytes(nonce, 32, 48, 64)
    except ValueError:
        raise InputRefused(
            "the nonce is not a hexadecimal number of these lengths", hint="64, 96 or 128 digits", code="attest.nonce"
        ) from None
    if out is not None:
        check_output(out)
    with state.device(caches=False) as device:
        note_testing(state, device)
        token = rules.attest(device, challenge, EatProfile(profile))
        key = rules.signed_log(device).attestation_key
    if out is not None:
        write_output(out, token)
    return Result(
        outcome="attested",
        data={"token": token.hex(), "public_key": key.hex(), "profile": profile, "out": str(out) if out else None},
        lines=[f"written to {out}" if out else token.hex(), f"public key {key.hex()}"],
    )
