"""Is the store what the published format says, and nothing else? Asked of a device that lived with canaries.

The second reader opens it with the fuses: so the keys are the device's and the cipher is the one that is named. What it
opens holds the canaries where they belong, which shows that the reader reads; and what stands on the disk for it shows
nothing: no canary, no bytes twice, nothing that random bytes would not show.
"""

import shutil
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from bioguard.evidence.leak_scan import Canaries, Life, Scanner, looks_random
from bioguard.evidence.policy_trials.model import Observation
from bioguard.evidence.published_objects import INDEX_KINDS, RECORD_KINDS, profiles_agree, strange_objects
from bioguard.evidence.second_reader import Contents, Unreadable, read_device
from bioguard.evidence.second_reader.disk import Disk

STAGES: Final = ("after enrollment", "after a crash", "after erasure", "at the end")
_BLOCK: Final = 16


def repeated(pieces: Iterable[bytes]) -> int:
    """How many runs of 16 bytes stand in two places: none by chance.

    Each body and page ends in zeros, so a cipher that makes equal bytes of equal bytes, a pad that is used again or a
    key and nonce that are used twice show here, whatever else is sealed with them.
    """
    seen: set[bytes] = set()
    count = 0
    for piece in dict.fromkeys(pieces):  # the same row at two times is one
        count += sum(piece[i : i + _BLOCK] in seen for i in range(len(piece) - _BLOCK + 1))
        blocks = [piece[i : i + _BLOCK] for i in range(0, len(piece) - _BLOCK + 1, _BLOCK)]
        count += len(blocks) - len(set(blocks))
        seen.update(blocks)
    return count


def observe(life: Life, canaries: Canaries, work: Path) -> list[Observation]:
    """What the second reader finds at each stage of the life.

    Args:
        work: a directory for copies; must not exist.
    """
    read = {}
    for stage in STAGES:
        copy = work / stage.replace(" ", "-")
        _copy(life, stage, copy)
        try:
            read[stage] = (read_device(copy), Disk.read(copy / "storage.db"))
        except Unreadable as flaw:
            return [
                Observation(f"the second reader opens the store {stage}, and accounts for every byte", False, str(flaw))
            ]
    return list(_judge(read, canaries, Scanner(canaries), work))


def _copy(life: Life, stage: str, copy: Path) -> None:
    copy.mkdir(parents=True)
    for path in (life.kept / "sources").iterdir():
        if path.name.endswith(f" {stage}"):
            target = copy / path.name.removesuffix(f" {stage}")
            shutil.copyfile(path, target)
            target.chmod(0o600)


def _judge(
    read: dict[str, tuple[Contents, Disk]], canaries: Canaries, scanner: Scanner, work: Path
) -> Iterator[Observation]:
    contents = read[STAGES[0]][0]
    yield Observation("a second reader opens the store at each stage, every byte of it", True)
    for stage, (seen, _) in read.items():
        strange = strange_objects(seen)
        yield Observation(f"it holds no object that is not published {stage}", not strange, ", ".join(strange[:3]))
        yield Observation(
            f"the sealed comparison profiles are those of configuration and log {stage}", profiles_agree(seen)
        )
    records = [o for o in contents.objects if o.kind in RECORD_KINDS]
    views = [view for o in records for view in o.fields()[5]]
    carried = {canaries.embedding.to_bytes(), canaries.finger.to_bytes()}
    yield Observation("the enrolled features are what it reads in the records", carried <= set(views))
    others = [o for seen, _ in read.values() for o in seen.objects if o.kind not in (*RECORD_KINDS, *INDEX_KINDS)]
    others += [o for o in read[STAGES[2]][0].objects if o.kind in INDEX_KINDS]
    found = {f"{o.kind}: {hit.name}" for o in others for hit in scanner.scan_exact(o.body)}
    yield Observation(
        "and in no other object; after the erasure, not in the search index", not found, ", ".join(sorted(found)[:3])
    )
    left = [o.kind for o in read[STAGES[2]][0].objects if o.kind in RECORD_KINDS]
    yield Observation("no record is left after the erasure", not left, f"{len(left)} left")
    disks = [disk for _, disk in read.values()]
    pieces = [row.ciphertext for disk in disks for row in disk.objects.values()]
    pieces += [page for disk in disks for _, page in disk.pages.values()]
    yield Observation("there was enough to look at", len(pieces) > 20 and sum(map(len, pieces)) > 1 << 15)
    twice = repeated(pieces)
    yield Observation("equal contents differ: nothing of the padding stands twice on the disk", not twice, f"{twice}")
    reused = _reused([seen for seen, _ in read.values()])
    yield Observation("what is written anew has a new key and a new nonce", not reused, ", ".join(reused[:3]))
    derived = _computed([seen for seen, _ in read.values()])
    yield Observation("no key is a hash of what lies beside it", not derived, ", ".join(derived[:3]))
    yield Observation("what is sealed looks like random bytes", _random(pieces))
    yield Observation(
        "the fuses of another device open nothing of it", _refuses_others(work / STAGES[0].replace(" ", "-"))
    )


def _reused(stages: list[Contents]) -> list[str]:
    """Objects at two times that are sealed otherwise, with a key or a nonce of before."""
    found, writes = list[str](), dict[bytes, bytes]()
    for one in (o for stage in stages for o in stage.objects):
        for drawn in (one.key, one.nonce):
            if writes.setdefault(drawn, one.ciphertext) != one.ciphertext:
                found.append(one.kind)
    return found


def _computed(stages: list[Contents]) -> list[str]:
    """Objects whose key anybody could compute who has the disk and knows what is stored."""
    return [
        one.kind
        for stage in stages
        for one in stage.objects
        for public in (b"", one.nonce, one.name, one.object_id, one.digest, one.owner, one.application, one.body)
        if one.key in (sha256(public).digest(), sha256(one.application + public).digest(), public)
    ]


def _random(pieces: list[bytes]) -> bool:
    whole = b"".join(dict.fromkeys(pieces))
    return looks_random(whole) is True and all(looks_random(piece) is not False for piece in pieces)


def _refuses_others(directory: Path) -> bool:
    """Each of the two secrets of the fuses, changed in its last digit."""
    fuses = (directory / "fuses.simulated").read_text("ascii").splitlines(keepends=True)
    for i, line in enumerate(fuses):
        if not line.startswith(("huk ", "device-id ")):
            continue
        other = f"{line[:-2]}{int(line[-2], 16) ^ 1:x}\n"
        try:
            read_device(directory, "".join([*fuses[:i], other, *fuses[i + 1 :]]))
        except Unreadable:
            continue
        return False
    return True
