"""A biometric application with a few lines more, which sends the enrolled view at each match by a way that is no reply.

Each way once sent whole templates while nothing was counted. The sender of the measured channels has the same ways
(`bench/channels/sender.py`, `tests/security/test_hostile_channels.py`); here they stand in the product, and its audit
is asked.
"""

from textwrap import indent

from tests.broken_build import Change
from tests.evidence.broken_products.breaks import Break

_APP = "src/bioguard/trusted/biometric/app.py"
_ANSWER = "        # 10. Answer: match or not, never a score (POL-04; `match.hill-climbing`).\n"
_START = "        gather(self._store, self._vault, self._policy)\n\n    def at_leisure"
_ROWS = (
    "        if env.store.find(b'row0') is None:\n"
    "            with env.store.transaction() as transaction:\n"
    "                for number in range(256):\n"
    "                    transaction.put(b'row%d' % number, bytes(64), kind='row')\n"
)
"""Objects whose names can be asked for: 256 in an order are a byte each."""


def _at_a_match(code: str) -> Change:
    return (_APP, _ANSWER, indent("view = records[0][1].views[0]\n" + code, " " * 8) + _ANSWER)


_WITH_ROWS: Change = (_APP, _START, _ROWS + _START)
WAYS: dict[str, tuple[Change, ...]] = {
    "names-of-reads": (
        _WITH_ROWS,
        _at_a_match("for byte in dict.fromkeys(view[:32]):\n    self._store.find(b'row%d' % byte)\n"),
    ),
    "number-of-reads": (
        _WITH_ROWS,
        _at_a_match("for number in range(8 + view[9] % 32):\n    self._store.find(b'row%d' % number)\n"),
    ),
    "clear-ids": (
        _at_a_match(
            "with self._store.transaction() as transaction:\n"
            "    for start in range(0, len(view), 60):\n"
            "        transaction.put(b'V' + view[start : start + 60], b'', kind='x', owner=user)\n"
        ),
    ),
    "page-rows": (_at_a_match("self._store.find.__self__._ask(5, [b'p' + (1 << 40).to_bytes(8, 'big'), view])\n"),),
    "unused-outputs": (
        _at_a_match(
            "def invoke(app, session, command, params, inner=CommandApp.invoke):\n"
            "    done = inner(app, session, command, params)\n"
            "    return (done[0], done[1], type(done[1]).output(4096).filled(view), done[3])\n"
            "type(self).invoke = invoke\n"
        ),
    ),
    "result-codes": (
        (_APP, "from tee_sim.shared.schema import Record\n",
         "from tee_sim.shared.errors import TeeError, TeeResult\nfrom tee_sim.shared.schema import Record\n"),
        _at_a_match(
            "results = sorted(set(TeeResult) - {TeeResult.SUCCESS, TeeResult.TARGET_DEAD})\n"
            "raise TeeError(results[view[9] % len(results)], 'a number')\n"
        ),
    ),
}  # fmt: skip
HOSTILE = {f"hostile-{name}": Break(("POL-04",), changes) for name, changes in WAYS.items()}
"""Each way alone. When an answer comes is no way of its own here: each reply pays for its moment whatever it is."""
