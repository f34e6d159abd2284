"""What a person is shown before consenting (policy VII.1), from what is really in force."""

from collections.abc import Sequence

from bioguard.commands.policy import PolicyReply

_PROFILES = {
    "standard": "a salted digest, a protected code and the encrypted template of each record",
    "digest-only": "a salted digest and a protected code of each record; no template in any form",
}


def notice(
    state: PolicyReply, *, store: str, profile: str, for_testing: bool = False, sensors: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Heading and sentence pairs.

    Args:
        store: the device's directory, as shown to people.
        profile: `standard` or `digest-only`.
        for_testing: whether it is a device of a laboratory.
        sensors: of what the device takes pictures.
    """
    seen = f"pictures of {' and '.join(sensors)}: seen by a locked program once, never kept; features never leave it"
    return [
        ("policy version", str(state.version)),
        ("what is stored", _PROFILES[profile]),
        *([("pictures", seen)] if sensors else []),
        ("where", f"only on this device, in {store}, sealed under keys of the device"),
        ("why", "to unlock (1:1), to release keys (1:1), to identify (1:N): each only with your consent to it"),
        ("fingers", "yours may be compared with what others show, to judge those more strictly; never to find you"),
        ("for how long", f"{state.retention_days} days after enrollment, or until consent ends, whichever is first"),
        ("log", f"what happened, without names or features; bodies are cleared after {state.log_days} days"),
        ("who gets it", "nobody: there is no upload, no sharing, no transfer; templates are never exported"),
        ("minimum age", f"{state.minimum_age} years"),
        ("your rights", "notice, access, rectify, erase, restrict, export, object, withdraw, explain; with your PIN"),
        ("answer", "within 7 days; at most 30 days, with a reason"),
        ("complaint", "to the operator of this device, or to your data protection authority"),
        ("without biometrics", "the PIN always works; refusing consent has no other effect"),
        ("simulator", "this device is simulated: the owner of the host can read everything"),
        *([("testing", "this device is for testing: callers choose how alike is enough")] if for_testing else []),
    ]
