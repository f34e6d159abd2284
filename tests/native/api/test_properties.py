"""Property access: what each set holds, read as each type."""

import base64
from uuid import UUID

import pytest

from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import CLIENT, TA, App, Refused

F = Function
TEE, OF_CLIENT, OF_TA = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
AS_STRING, AS_BLOCK = F.GET_PROPERTY_AS_STRING, F.GET_PROPERTY_AS_BINARY_BLOCK
TYPED = {
    "bool": F.GET_PROPERTY_AS_BOOL,
    "u32": F.GET_PROPERTY_AS_U32,
    "u64": F.GET_PROPERTY_AS_U64,
    "uuid": F.GET_PROPERTY_AS_UUID,
    "identity": F.GET_PROPERTY_AS_IDENTITY,
}


def text(app: App, properties: int, name: bytes | None) -> str:
    read: bytes = app.one(AS_STRING, properties, name, 4096)
    assert read.endswith(b"\0")
    return read[:-1].decode()


def names(app: App, properties: int) -> list[str]:
    """As an enumerator finds them."""
    number = app.one(F.ALLOCATE_PROPERTY_ENUMERATOR)
    app.ask(F.START_PROPERTY_ENUMERATOR, number, properties)
    found = []
    while True:
        found.append(app.one(F.GET_PROPERTY_NAME, number, 99)[:-1].decode())
        assert text(app, number, None) == text(app, properties, found[-1].encode())
        try:
            app.ask(F.GET_NEXT_PROPERTY, number)
        except Refused as refused:
            assert refused.result is TeeResult.ITEM_NOT_FOUND
            with pytest.raises(Refused):
                app.ask(F.GET_PROPERTY_NAME, number, 99)
            return found


def test_what_is_true_of_the_application() -> None:
    app = App()
    assert {name: text(app, OF_TA, name.encode()) for name in names(app, OF_TA)} == {
        "gpd.ta.appID": str(TA),
        "gpd.ta.singleInstance": "true",
        "gpd.ta.multiSession": "false",
        "gpd.ta.instanceKeepAlive": "false",
        "gpd.ta.dataSize": "32768",
        "gpd.ta.stackSize": "2048",
        "gpd.ta.endian": "0",
        "gpd.ta.doesNotCloseHandleOnCorruptObject": "false",
        "gpd.ta.version": "1.0",
        "own.bool": "true",
        "own.u32": "48",
        "own.u64": str(1 << 40),
        "own.uuid": str(UUID(int=9)),
        "own.identity": f"1:{UUID(int=3)}",
        "own.block": base64.b64encode(b"\0\xff\x10").decode(),
        "own.text": "0x10K",
    }


def test_what_is_true_of_the_implementation() -> None:
    app = App()
    assert {name: text(app, TEE, name.encode()) for name in names(app, TEE) if "ersion" not in name} == {
        "gpd.tee.description": "tee_sim 0.2.0, a simulator: NOT ENFORCED",
        "gpd.tee.deviceID": "00010203-0405-4607-8809-0a0b0c0d0e0f",
        "gpd.tee.systemTime.protectionLevel": "100",
        "gpd.tee.TAPersistentTime.protectionLevel": "100",
        "gpd.tee.trustedStorage.antiRollback.protectionLevel": "100",
        "gpd.tee.trustedStorage.rollbackDetection.protectionLevel": "100",
        "gpd.tee.arith.maxBigIntSize": "4096",
        "gpd.tee.cryptography.ecc": "true",
        "gpd.tee.cryptography.nist": "true",
        "gpd.tee.cryptography.bsi-r": "false",
        "gpd.tee.cryptography.bsi-t": "false",
        "gpd.tee.cryptography.ietf": "true",
        "gpd.tee.cryptography.octa": "false",
        "gpd.tee.event.maxSources": "0",
        "gpd.tee.trustedos.manufacturer": "tee_sim",
        "gpd.tee.firmware.manufacturer": "tee_sim",
    }
    assert app.one(F.GET_PROPERTY_AS_U32, TEE, b"gpd.tee.internalCore.version") == 0x01030100
    assert text(app, TEE, b"gpd.tee.apiversion") == "1.3"


def test_the_client_is_whoever_called_and_nobody_when_nobody_did() -> None:
    app = App()
    assert names(app, OF_CLIENT) == ["gpd.client.identity", "gpd.client.endian"]
    assert app.ask(F.GET_PROPERTY_AS_IDENTITY, OF_CLIENT, b"gpd.client.identity") == [1, CLIENT.uuid]
    assert text(app, OF_CLIENT, b"gpd.client.identity") == str(CLIENT)
    app.client.known = None
    assert names(app, OF_CLIENT) == ["gpd.client.endian"]
    with pytest.raises(Refused) as caught:
        app.ask(F.GET_PROPERTY_AS_IDENTITY, OF_CLIENT, b"gpd.client.identity")
    assert caught.value.result is TeeResult.ITEM_NOT_FOUND


VALUES = {
    "own.bool": {"bool": [True]},
    "own.u32": {"u32": [48], "u64": [48]},
    "own.u64": {"u64": [1 << 40]},
    "own.uuid": {"uuid": [UUID(int=9).bytes]},
    "own.identity": {"identity": [1, UUID(int=3).bytes]},
    "own.block": {},
    "own.text": {"u32": [16 << 10], "u64": [16 << 10]},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_property_is_read_as_its_type_and_no_other(name: str) -> None:
    app = App()
    for kind, function in TYPED.items():
        if kind in VALUES[name]:
            assert app.ask(function, OF_TA, name.encode()) == VALUES[name][kind]
        else:
            with pytest.raises(Refused) as caught:
                app.ask(function, OF_TA, name.encode())
            assert caught.value.result is TeeResult.BAD_FORMAT
    if name == "own.block":
        assert app.one(AS_BLOCK, OF_TA, b"own.block", 3) == b"\0\xff\x10"


def test_a_buffer_that_is_too_small_learns_the_size() -> None:
    app = App()
    for function, name, size in ((AS_STRING, b"own.u32", 3), (AS_BLOCK, b"own.block", 3)):
        for room in (None, 0, size - 1):
            with pytest.raises(Refused) as caught:
                app.ask(function, OF_TA, name, room)
            assert (caught.value.result, caught.value.outputs) == (TeeResult.SHORT_BUFFER, [size])
        assert len(app.one(function, OF_TA, name, size)) == size


def test_an_enumerator_that_is_reset_has_no_property_and_begins_again() -> None:
    app = App()
    number = app.one(F.ALLOCATE_PROPERTY_ENUMERATOR)
    app.ask(F.START_PROPERTY_ENUMERATOR, number, OF_TA)
    app.ask(F.GET_NEXT_PROPERTY, number)
    assert app.one(F.GET_PROPERTY_AS_BOOL, number, None) is True
    app.ask(F.RESET_PROPERTY_ENUMERATOR, number)
    with pytest.raises(Refused):
        app.ask(F.GET_PROPERTY_AS_BOOL, number, None)
    app.ask(F.START_PROPERTY_ENUMERATOR, number, OF_TA)
    assert app.one(F.GET_PROPERTY_AS_UUID, number, None) == TA.bytes
    app.ask(F.FREE_PROPERTY_ENUMERATOR, number)


def test_an_application_does_not_redefine_what_its_manifest_says() -> None:
    from tee_sim.gp_api.property_sets import of_the_application
    from tee_sim.shared.ta_properties import PropertyKind, TaProperty
    from tests.native.api.native import manifest

    lie = TaProperty(name="gpd.ta.appID", kind=PropertyKind.UUID, value=UUID(int=1).bytes)
    held = [one.value for one in of_the_application(manifest([lie])) if one.name == "gpd.ta.appID"]
    assert held == [TA.bytes]
