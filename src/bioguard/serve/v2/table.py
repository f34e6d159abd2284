"""The methods of version 2: number, name, request and answer. What they do is in the modules of `handlers`."""

from dataclasses import dataclass
from typing import Final

from bioguard.commands.status import Nothing
from bioguard.serve import protocol as v1
from bioguard.serve.v2 import accounts, machine, sessions
from tee_sim.shared.schema import Record


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """One method."""

    number: int
    name: str
    request: type[Record]
    reply: type[Record]

    @property
    def of_session(self) -> bool:
        """Whether it is about an open session, whose number is its first field."""
        return issubclass(self.request, sessions.SessionRequest)


METHODS: Final = (
    MethodEntry(0, "hello", Nothing, machine.DeviceHello),
    MethodEntry(1, "add_user", v1.User, Nothing),
    MethodEntry(2, "remove_user", v1.RemoveUserRequest, accounts.DigestsAnswer),
    MethodEntry(3, "users", Nothing, v1.Users),
    MethodEntry(4, "consent", accounts.ConsentRequest, Nothing),
    MethodEntry(5, "withdraw_consent", accounts.WithdrawConsentRequest, accounts.DigestsAnswer),
    MethodEntry(6, "consents", v1.User, accounts.ConsentsAnswer),
    MethodEntry(10, "set_pin", v1.SetPin, v1.SecureUserId),
    MethodEntry(11, "verify_pin", v1.VerifyPinRequest, v1.Token),
    MethodEntry(12, "unlock", v1.Unlock, Nothing),
    MethodEntry(20, "create_session", sessions.CreateSessionRequest, sessions.SessionAnswer),
    MethodEntry(21, "close", sessions.SessionRequest, Nothing),
    MethodEntry(22, "cancel", sessions.CancelRequest, Nothing),
    MethodEntry(23, "generate_challenge", sessions.SessionRequest, sessions.OperationAnswer),
    MethodEntry(24, "revoke_challenge", sessions.RevokeChallengeRequest, sessions.OperationAnswer),
    MethodEntry(25, "enroll", sessions.SessionEnrollRequest, sessions.OperationAnswer),
    MethodEntry(26, "authenticate", sessions.SessionAuthenticateRequest, sessions.OperationAnswer),
    MethodEntry(27, "detect_interaction", sessions.DetectInteractionRequest, sessions.OperationAnswer),
    MethodEntry(28, "enumerate_enrollments", sessions.SessionRequest, sessions.OperationAnswer),
    MethodEntry(29, "remove_enrollments", sessions.RemoveEnrollmentsRequest, sessions.OperationAnswer),
    MethodEntry(30, "get_authenticator_id", sessions.SessionRequest, sessions.OperationAnswer),
    MethodEntry(31, "invalidate_authenticator_id", sessions.SessionRequest, sessions.OperationAnswer),
    MethodEntry(32, "reset_lockout", sessions.SessionTokenRequest, sessions.OperationAnswer),
    MethodEntry(33, "get_features", sessions.SessionRequest, sessions.OperationAnswer),
    MethodEntry(34, "set_feature", sessions.SetFeatureRequest, sessions.OperationAnswer),
    MethodEntry(35, "get_enrollment_config", sessions.EnrollmentConfigRequest, sessions.EnrollmentConfigAnswer),
    MethodEntry(36, "on_context_changed", sessions.ContextChangedRequest, Nothing),
    MethodEntry(40, "on_pointer_down", sessions.PointerRequest, Nothing),
    MethodEntry(41, "on_pointer_up", sessions.PointerRequest, Nothing),
    MethodEntry(42, "on_pointer_cancel", sessions.PointerRequest, Nothing),
    MethodEntry(43, "on_ui_ready", sessions.SessionRequest, Nothing),
    MethodEntry(44, "set_ignore_display_touches", sessions.IgnoreTouchesRequest, Nothing),
    MethodEntry(45, "present", sessions.PresentRequest, Nothing),
    MethodEntry(46, "lift", sessions.SessionRequest, Nothing),
    MethodEntry(50, "identify", accounts.SensorSearchRequest, accounts.FoundAnswer),
    MethodEntry(51, "lock_status", accounts.LockStatusRequest, accounts.LockStateAnswer),
    MethodEntry(52, "search_lock_status", accounts.SearchLockStatusRequest, accounts.LockStateAnswer),
    MethodEntry(53, "records", v1.User, accounts.RecordsAnswer),
    MethodEntry(54, "erase", v1.EraseRequest, v1.EraseAnswer),
    MethodEntry(55, "check_token", v1.AnyToken, v1.TokenFields),
    MethodEntry(60, "key_create", machine.KeyCreateRequest, machine.KeyAnswer),
    MethodEntry(61, "key_begin", machine.KeyBeginRequest, machine.KeyOperationAnswer),
    MethodEntry(62, "key_finish", machine.KeyFinishRequest, machine.SignatureAnswer),
    MethodEntry(63, "key_delete", machine.KeyDeleteRequest, Nothing),
    MethodEntry(64, "key_verdict", machine.KeyVerdictRequest, machine.KeyVerdictAnswer),
    MethodEntry(70, "attest", machine.AttestRequest, machine.AttestationAnswer),
    MethodEntry(71, "log_head", Nothing, machine.LogHeadAnswer),
    MethodEntry(72, "log_read", machine.LogReadRequest, machine.LogReadAnswer),
    MethodEntry(73, "log_checkpoint", Nothing, machine.CheckpointAnswer),
    MethodEntry(80, "clock_show", Nothing, machine.ClockAnswer),
    MethodEntry(81, "clock_advance", machine.ClockAdvanceRequest, machine.ClockAnswer),
    MethodEntry(82, "reboot", Nothing, Nothing),
    MethodEntry(90, "faults", Nothing, machine.FaultsAnswer),
    MethodEntry(91, "fault_set", machine.FaultEntry, Nothing),
    MethodEntry(92, "fault_clear", machine.FaultClearRequest, Nothing),
    MethodEntry(93, "fault_report", Nothing, machine.FaultReportAnswer),
    MethodEntry(94, "scenario_load", machine.ScenarioLoadRequest, Nothing),
    MethodEntry(100, "simulated_sample", machine.SimulatedSampleRequest, machine.SimulatedSampleAnswer),
)  # fmt: skip
"""Every method of version 2. Methods and events may be added; none changes."""
BY_NUMBER: Final = {method.number: method for method in METHODS}
BY_NAME: Final = {method.name: method for method in METHODS}
