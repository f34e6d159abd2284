"""Faults of the running device: knobs, what never fired, whole scenarios."""

from bioguard.errors import NotPermitted
from bioguard.serve.v2 import machine as m
from bioguard.serve.v2.handlers.service import FaultPort, Handler, ServedDevice

_MAX_RULES = 256
_MAX_RULE_CHARS = 400


def _faults(service: ServedDevice) -> FaultPort:
    if service.faults is None:
        raise NotPermitted(
            "this server plays no faults", hint="start it as the command line does", code="fault.not_served"
        )
    return service.faults


def show(service: ServedDevice, _request: object) -> m.FaultsAnswer:
    port = _faults(service)
    changed = tuple(m.FaultEntry(name=name, value=value) for name, value in port.values().items())
    return m.FaultsAnswer(seed=port.seed, changed=changed)


def put(service: ServedDevice, request: m.FaultEntry) -> None:
    _faults(service).set(request.name, request.value)


def clear(service: ServedDevice, request: m.FaultClearRequest) -> None:
    _faults(service).clear(request.name or None)


def report(service: ServedDevice, _request: object) -> m.FaultReportAnswer:
    rules = _faults(service).report()[:_MAX_RULES]
    return m.FaultReportAnswer(rules=tuple(rule[:_MAX_RULE_CHARS] for rule in rules))


def load(service: ServedDevice, request: m.ScenarioLoadRequest) -> None:
    _faults(service).load(request.toml)


HANDLERS: dict[str, Handler] = {
    "faults": show,
    "fault_set": put,
    "fault_clear": clear,
    "fault_report": report,
    "scenario_load": load,
}
