"""`[budget]` of a manifest: how it is read, and what the core does with a request that is above it."""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

import pytest

from tee_sim.normal.client import Context, OverBudgetError, Session
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.counted_store import MOST_AHEAD, _fewest_first
from tee_sim.secure.ledger import Ledger
from tee_sim.secure.traffic import Asked, CountedBlobs, Put
from tee_sim.shared.blobs import Changes
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import CommandBudget, CommandWrites, Manifest
from tee_sim.shared.manifest_values import ManifestError
from tee_sim.shared.row_patterns import matches, parse_commit
from tee_sim.shared.schema import Fixed, ObjectId, Record, UpTo
from tee_sim.shared.ta_api import Command, CommandApp, TaEnv
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee

TEXT = """uuid = "00000000-0000-0000-0000-000000000001"
name = "noted"
entry = "noted.app:App"
code = ["noted.*"]

[budget]
bits = 4096
commands = { 11 = 64, 12 = 128 }
writes = { 11 = ["S01*", "H L# S01*"] }
reads = { 12 = ["note"] }
"""


def test_a_budget_is_read() -> None:
    manifest = Manifest.from_toml(TEXT)
    assert [manifest.limit_bits(command) for command in (None, 1, 11, 12)] == [4096, 4096, 64, 128]
    assert manifest.commits_of(11) == ("S01*", "H L# S01*")
    assert manifest.kinds_of(12) == ("note",)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    bare = Manifest.from_toml(TEXT[: TEXT.index("[budget]")])
    assert bare.limit_bits(11) == float("inf")


WRONG = [
    ("bits = 4096", "bits = 0", ":7: budget.bits: expected 1 to 16777216"),
    ("bits = 4096", "bits = true", ":7: budget.bits: expected an integer, found a boolean"),
    ("bits = 4096", "", "budget.commands: needs a budget for all other requests"),
    ("bits = 4096", "bit = 4096", ":7: budget.bit: unknown key"),
    ("11 = 64", "eleven = 64", ":8: budget.commands.eleven: expected a number from 0 to 4294967295"),
    ("11 = 64", "011 = 64", ":8: budget.commands.011: expected a number from 0 to 4294967295"),
    ("11 = 64", "11 = -1", ":8: budget.commands.11: expected 1 to 16777216"),
    ("{ 11 = 64, 12 = 128 }", "7", ":8: budget.commands: expected a table, found an integer"),
    ('"S01*"', '"S01**"', ":9: budget.writes.11: 'S01**' is not the rows of one commit"),
    ('"S01*"', '"01"', ":9: budget.writes.11: '01' is not the rows of one commit"),
    ('["note"]', '"note"', ":10: budget.reads.12: expected a list, found a string"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_is_wrong_with_one_is_said_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        Manifest.from_toml(TEXT.replace(old, new), file="m.toml")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_manifest_that_was_never_a_file_names_each_command_once() -> None:
    manifest = Manifest.from_toml(TEXT)
    with pytest.raises(ManifestError, match="names one command twice"):
        replace(manifest, budgets=(CommandBudget(command=1, bits=2),) * 2)
    with pytest.raises(ManifestError, match=r"budget\.writes: no rows"):
        replace(manifest, writes=(CommandWrites(command=1, commits=("S01*  H",)),))


def test_a_commit_that_is_named_is_that_and_no_other() -> None:
    commit, word = parse_commit("H L# S01*"), b"u" * 16
    last, following = b"L" + bytes(7) + b"\x20", b"L" + bytes(7) + b"\x40"
    state = b"S\x01" + word
    numbered = {b"L": [last, following]}
    assert matches(commit, [b"H", last, state], [word], numbered)
    assert matches(commit, [b"H", following, state], [word], numbered)
    for ids in ([b"H", last], [b"H", last, state, b"X"], [b"H", b"L" + bytes(8), state], [b"h", last, state],
                [b"H", last, b"S\x02" + word], [b"H", last, b"S\x01" + b"v" * 16]):  # fmt: skip
        assert not matches(commit, ids, [word], numbered)
    assert not matches(commit, [b"H", last, b"S\x01"], [], numbered), "no word is no word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Record):
    name: Annotated[bytes, Fixed(16)]
    how: Annotated[int, UpTo(9)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Record):
    name: Annotated[bytes, ObjectId(16, b"N")] | None = None
    data: Annotated[bytes, Fixed(64)] | None = None


PUT, TELL, WIDE, OTHER = (Command(number, Ask, Told) for number in range(1, 5))


class Noted(CommandApp):
    def create(self, env: TaEnv) -> None:
        self.env = env
        for command in (PUT, TELL, WIDE, OTHER):
            self.handle(command, getattr(self, f"_{('', 'put', 'tell', 'wide', 'other')[command.number]}"))

    def _put(self, _session: Any, request: Ask) -> Told:
        for _ in range(request.how or 1):
            with self.env.store.transaction() as transaction:
                transaction.put(b"N" + request.name, b"x", kind="note", owner=request.name)
        return Told()

    def _tell(self, _session: Any, request: Ask) -> Told:
        return Told(name=request.name)

    def _wide(self, _session: Any, request: Ask) -> Told:
        return Told(data=bytes(64))

    def _other(self, _session: Any, request: Ask) -> Told:
        raise TeeError(0xC0DE0001, "a result of its own")


MANIFEST = Manifest(
    uuid=bytes(range(16)),
    name="noted",
    entry=f"{__name__}:Noted",
    code=(__name__,),
    flags=("single_instance", "multi_session", "keep_alive"),
    budget_bits=128,
)
ALICE = Ask(name=b"a" * 16)


def session(**changes: Any) -> Session:
    tee = InProcessTee([replace(MANIFEST, **changes)], Service(MemoryBlobs(), RpmbDevice(MemoryMedium())))
    return Context(tee).open_session(MANIFEST.ta_uuid)


def test_a_reply_above_the_budget_is_withheld_and_the_instance_is_gone() -> None:
    opened = session()
    assert opened.call(TELL, ALICE) == Told(name=ALICE.name)
    with pytest.raises(OverBudgetError) as caught:
        opened.call(WIDE, ALICE)
    assert caught.value.bits > 512
    assert caught.value.params is None
    with pytest.raises(TeeError) as again:
        opened.call(TELL, ALICE)
    assert again.value.result is TeeResult.TARGET_DEAD


def test_a_command_may_have_a_budget_of_its_own() -> None:
    opened = session(budgets=(CommandBudget(command=WIDE.number, bits=600),))
    assert opened.call(WIDE, ALICE) == Told(data=bytes(64))


def test_a_commit_above_the_budget_is_not_made() -> None:
    blobs = MemoryBlobs()
    tight = replace(MANIFEST, budgets=(CommandBudget(command=PUT.number, bits=60),))
    tee = InProcessTee([tight], Service(blobs, RpmbDevice(MemoryMedium())))
    opened = Context(tee).open_session(MANIFEST.ta_uuid)
    before = tee.ready().epoch
    with pytest.raises(OverBudgetError):
        opened.call(PUT, replace(ALICE, how=9))
    assert before < tee.ready().epoch < before + 9, "those that fit were made, the one that was too much was not"
    Context(tee).open_session(MANIFEST.ta_uuid).call(PUT, ALICE)


class Choosing(Noted):
    """Has as many digests made as may be, and puts the one that it likes best with one row."""

    def _put(self, _session: Any, request: Ask) -> Told:
        salted = [self.env.digests.make(request.name) for _ in range(64)]
        with self.env.store.transaction() as transaction:
            digest = min(digest for _, digest in salted)
            transaction.put(b"N" + request.name, b"x", kind="note", owner=request.name, commitment=digest)
        return Told()


def test_what_was_chosen_in_a_commit_is_counted_before_the_disk_sees_it() -> None:
    def played(bits: int) -> tuple[bool, bool]:
        """Whether it was answered, and whether the row is there, with so many bits."""
        blobs = MemoryBlobs()
        budgets = (CommandBudget(command=PUT.number, bits=bits),)
        made = replace(MANIFEST, digest="test-v1", budgets=budgets, entry=f"{__name__}:Choosing")
        opened = Context(InProcessTee([made], Service(blobs, RpmbDevice(MemoryMedium())))).open_session(made.ta_uuid)
        before = set(blobs.rows)
        try:
            opened.call(PUT, ALICE)
        except OverBudgetError:
            return False, set(blobs.rows) != before
        return True, set(blobs.rows) != before

    enough = next(bits for bits in range(20, 100) if played(bits) == (True, True))
    assert played(enough - 4) == (False, False), "6 are the choice of the digest; the answer, without a reply, is 2"


def test_an_id_that_is_none_is_no_reply(capfd: pytest.CaptureFixture[str]) -> None:
    class Liar(Noted):
        def _tell(self, _session: Any, request: Ask) -> Told:
            return Told(name=b"secret of 16 byt")

    globals()["Liar"] = Liar
    opened = session(entry=f"{__name__}:Liar")
    with pytest.raises(TeeError) as caught:
        opened.call(TELL, ALICE)
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert "not the id of an object" in capfd.readouterr().err


def test_a_result_without_a_name_ends_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TeeError) as caught:
        session().call(OTHER, ALICE)
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert "refuses with a result of its own" in capfd.readouterr().err


def test_a_session_above_the_budget_is_not_opened_and_its_number_is_free() -> None:
    tee = InProcessTee([replace(MANIFEST, budget_bits=1)], Service(MemoryBlobs(), RpmbDevice(MemoryMedium())))
    assert Context(tee).open_session(MANIFEST.ta_uuid)
    tight = replace(MANIFEST, budget_bits=1, entry=f"{__name__}:Storing")
    world = InProcessTee([tight], Service(MemoryBlobs(), RpmbDevice(MemoryMedium())))
    for _ in range(20):  # more than there are sessions
        with pytest.raises(OverBudgetError):
            Context(world).open_session(MANIFEST.ta_uuid)


class Storing(Noted):
    """Writes when it is created."""

    def create(self, env: TaEnv) -> None:
        super().create(env)
        with env.store.transaction() as transaction:
            transaction.put(b"N", b"", kind="note")


def test_what_there_is_any_number_of_keeps_nothing_else_out_of_what_is_read_ahead() -> None:
    many = [b"Q" + number.to_bytes(8, "big") for number in range(MOST_AHEAD)]
    few = [b"Cx", b"R1", b"R2", b"Ux"]
    assert set(few) <= set(_fewest_first([*many, *few])[:MOST_AHEAD])


def test_a_commit_that_changes_earlier_numbered_rows_too_goes_on_with_the_last() -> None:
    ledger = Ledger()
    blobs = CountedBlobs(MemoryBlobs(), ledger)
    ta, commits = UUID(int=1), (parse_commit("H L#"),)
    blobs.goes_on(ta, [b"L"])

    def commit(*ids: bytes) -> float:
        with ledger.request(1e9) as account:
            blobs.begin(Asked(ta=ta, commits=commits))
            for object_id in ids:
                blobs.putting(object_id, Put(ta=ta, object_id=object_id, header_before=3, header=3))
            blobs.commit(Changes(dict.fromkeys(ids, bytes(324)), ()))
        return account.total

    first, last = (b"L" + number.to_bytes(8, "big") for number in (0, 32))
    commit(b"H", first, last)
    usual = commit(b"H", last)
    commit(last, first)
    assert commit(b"H", last) == usual
