"""Several instances of one application: each has its own handles, and the sharing rules hold between them."""

from typing import Any, cast

import pytest

from tee_sim.gp_api.service import NativeApis
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import META, PRIVATE, READ, SHARE_READ, App, Panicked, Refused, manifest

F = Function


def instances(apis: NativeApis, device: Any, count: int) -> list[App]:
    made = []
    for _ in range(count):
        app = App(device)
        app.api = apis(cast("Any", app.api.instance.env), manifest())
        made.append(app)
    return made


def test_the_sharing_rules_hold_between_instances() -> None:
    apis, device = NativeApis(), App().device
    one, other, third = instances(apis, device, 3)
    one.stored()
    with pytest.raises(Refused) as caught:
        other.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"id", READ)
    assert caught.value.result is TeeResult.ACCESS_CONFLICT
    with pytest.raises(Refused) as caught:
        other.ask(F.CREATE_PERSISTENT_OBJECT, PRIVATE, b"id", 0x400 | META, 0, b"", 0)
    assert caught.value.result is TeeResult.ACCESS_CONFLICT
    one.api.end()
    one.api.end()
    other.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"id", READ | SHARE_READ)
    third.ask(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"id", READ | SHARE_READ)


def test_a_handle_is_its_instance_s_own() -> None:
    one, other = instances(NativeApis(), App().device, 2)
    handle = one.stored()
    with pytest.raises(Panicked):
        other.ask(F.CLOSE_OBJECT, handle)
    one.ask(F.CLOSE_OBJECT, handle)


def test_two_applications_have_nothing_in_common() -> None:
    one, other = App(), App()
    one.stored()
    other.stored()
