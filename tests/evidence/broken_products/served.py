"""Products that break a promise only while somebody drives them through `serve --stdio --protocol 2`.

Each is what helps a developer to find a fault, or a customer to see more. No other row of the audit starts that server.
"""

from tests.broken_build import Change
from tests.evidence.broken_products.breaks import Break

_CONVERSATION = "src/bioguard/serve/v2/conversation.py"
_SERVE = "src/bioguard/cli/serve.py"
_RECORDER = "src/bioguard/serve/scenario/recorder.py"
_ASKED = "        self._timeline.asked(wire.method_name(frame), frame.number, len(body))\n"
_REFUSED = "            last, code = wire.refusal(frame.number, error), error.code\n"
_EVENT = "        kind, fields = self._restarted() if isinstance(callback, Restarted) else event_of(callback)\n"
_NOW = "        self._send(wire.event(session, self._sequence, self._boot_clock.now_ms(), int(kind), fields))\n"
_SPOKEN = "        self._state = state\n        self._record = record\n"
_WRITTEN = "            write_output(self._record, recorded.text().encode(), new=True, private=True)\n"
_LIKENESS: Change = (
    _CONVERSATION,
    _ASKED,
    _ASKED + "        if frame.method == 45:\n"
    "            self.first = getattr(self, 'first', frame.fields[2])\n"
    "            self.score = sum(a == b for a, b in zip(self.first, frame.fields[2]))\n",
)
"""How many bytes of what is presented are those of what was presented first."""


def _asked(code: str) -> Change:
    return (_CONVERSATION, _ASKED, _ASKED + code)


def _alone(check: str, row: str, *changes: Change) -> Break:
    return Break((row,), changes, checks=(check,))


SERVED: dict[str, Break] = {
    "served-feature-in-trace": _alone("BG-LEK-001", "POL-08", _asked(
        "        if frame.method == 45:\n            self._timeline.told(frame.fields[2].hex(), 0)\n"
    )),
    "served-name-in-trace": _alone("BG-LEK-001", "POL-08", _asked(
        "        if frame.method == 20:\n            self._timeline.told('session of ' + frame.fields[0].decode(), 0)\n"
    )),
    "served-score-in-trace": _alone("BG-LEK-001", "POL-08", _LIKENESS, (
        _CONVERSATION, _EVENT, _EVENT + "        self._timeline.told('score %d' % getattr(self, 'score', 0), 0)\n",
    )),
    "served-pin-in-refusal": _alone("BG-LEK-001", "POL-08", (
        _CONVERSATION, _REFUSED,
        "            if error.code == 'pin.wrong':\n"
        "                error.message += ': ' + frame.fields[1].decode()\n" + _REFUSED,
    )),
    "served-score-in-refusal": _alone("BG-LEK-001", "POL-08", _LIKENESS, (
        _CONVERSATION, _REFUSED,
        "            if error.code == 'session.state':\n"
        "                error.message += f' ({self.score} bytes alike)'\n" + _REFUSED,
    )),
    "served-score-in-event": _alone("BG-LEK-001", "POL-08", _LIKENESS, (
        _CONVERSATION, _EVENT,
        _EVENT + "        if kind.name == 'ACQUIRED':\n"
        "            fields = type(fields)(info=fields.info, vendor=self.score)\n",
    )),
    "served-score-in-time": _alone("BG-LEK-001", "POL-08", _LIKENESS, (
        _CONVERSATION, _NOW,
        _NOW.replace("self._boot_clock.now_ms()", "self._boot_clock.now_ms() + 9 * getattr(self, 'score', 0)"),
    )),
    "served-tokens-recorded": _alone("BG-LEK-001", "POL-08", (
        _RECORDER, "            if _telling(value):\n", "            if _telling(value) and source != 'verify_pin':\n",
    )),
    "served-record-for-all": _alone("BG-LEK-001", "POL-08", (
        _SERVE, _WRITTEN, _WRITTEN.replace(", private=True", ""),
    )),
    "served-score-recorded": _alone("BG-LEK-001", "POL-08", _LIKENESS, (
        _SERVE, _WRITTEN, _WRITTEN.replace("recorded.text()", "(recorded.text() + f'# {recorded.score}\\n')"),
    )),
    "served-socket": _alone("BG-SBX-004", "POL-27", (
        _SERVE, _SPOKEN, _SPOKEN + "        import ctypes\n\n        ctypes.CDLL(None).socket(2, 2, 0)\n",
    )),
    "served-file-of-record": _alone("BG-LEK-002", "POL-02", (
        _SERVE, _WRITTEN, _WRITTEN + "            open(f'{self._record}.log', 'w').close()\n",
    )),
    "served-file-of-device": _alone("BG-LEK-002", "POL-02", (
        _SERVE, _WRITTEN, "            (self._state.directory / 'last').write_text(recorded.text())\n" + _WRITTEN,
    )),
}  # fmt: skip
"""Each with the one row of the report that has to be red."""
