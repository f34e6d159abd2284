"""A person's data, gathered from a device after they proved who they are: for `access` and `export`."""

import time

from bioguard.device import consent
from bioguard.device.answers import public_record
from bioguard.device.data_export import export
from bioguard.device.facade import Device
from bioguard.records.audit_events import Cause


def personal_data(device: Device, user: str, kind: Cause, *, token: bytes) -> dict[str, object]:
    """Register the request (ACCESS or PORTABILITY), gather everything held about the user, answer the request.

    Raises:
        NotPermitted: no fresh PIN token of this user.
    """
    request = consent.open_request(device, user, kind, token=token)
    handle = device.user_handle(user)
    entries = [item.entry for item in consent.signed_log(device).items if item.entry is not None]
    data = export(
        user=user,
        device=consent.attested_settings(device),
        made_ms=time.time_ns() // 1_000_000,
        policy=consent.policy_state(device),
        consents=consent.consents(device, user),
        records=[public_record(info) for info in device.records(user)],
        requests=[r for r in consent.requests(device) if r.subject == handle],
        entries=[e for e in entries if e.subject == handle],
    )
    consent.answer_request(device, request.number, Cause.FULFILLED)
    return data
