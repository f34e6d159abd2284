"""Products that break POL-05, POL-09 to POL-13, POL-18, POL-20, POL-21, POL-24 and POL-26: who decides, and until when."""

from tests.campaigns.broken_products.model import row
from tests.campaigns.broken_products.operators import answers, before_return, begins, instead, text, value, without
from tests.campaigns.broken_products.places import (
    AUTHORIZATION,
    CONSENT,
    CONSENT_CALLS,
    DOUBTS,
    ENFORCEMENT,
    GALLERY,
    GATEKEEPER,
    HANDLERS,
    INCIDENT_TEXTS,
    INCIDENTS,
    LOG,
    OBJECTS,
    POLICY_COMMANDS,
    STORE,
    TOKENS,
    TRUSTED_PINS,
    USER_COMMANDS,
)

FINGER = "modality is Modality.FINGERPRINT"


SEARCHABLE = instead(
    ENFORCEMENT,
    "PolicyEnforcer._until",
    "max((g.expires_ms for g in consent.grants if (g.modality, g.purpose) == (modality, purpose)))",
    "MAX_MS",
)
"""Where a search asks for the end of a consent that is not there, the broken product would only fall over."""
PURPOSE = row(
    5,
    ("fingers-unasked", "nobody is asked about fingerprints", (begins(CONSENT, "allowed", f"if {FINGER}:\n    return None"), SEARCHABLE)),
    ("enrollment-unasked", "an enrollment needs no consent", begins(CONSENT, "allowed", "if purpose is None:\n    return None")),
    ("unlock-unasked", "unlocking needs no consent",
     begins(CONSENT, "allowed", "if purpose is Purpose.UNLOCK:\n    return None")),
    ("key-as-unlock", "consent to unlocking is taken for the use of keys",
     answers("src/bioguard/trusted/policy/handlers.py", "purpose_of", "return Purpose.UNLOCK")),
    ("everybody-searched", "everybody is searched for", instead("src/bioguard/trusted/biometric/gallery_loading.py", "gallery", "np.where(np.isin(versions, open_now), records.heads['until_ms'].astype(np.int64), 0)", "np.full(len(versions), 1 << 47)")),
    ("any-purpose", "consent to one purpose is consent to all", (instead(CONSENT, "allowed", "purpose in (None, g.purpose)", "True"), SEARCHABLE)),
    ("any-modality", "consent for a face is consent for fingers", (instead(CONSENT, "allowed", "g.modality is modality", "True"), SEARCHABLE)),
    ("for-ever", "a consent does not expire", instead(CONSENT, "allowed", "now_ms < g.expires_ms", "True")),
    ("unlogged", "refusals are not logged",
     (without(ENFORCEMENT, "PolicyEnforcer.require", "self.log.note(Event.ENROLL_REFUSED"),
      without(ENFORCEMENT, "PolicyEnforcer.require", "self.log.note(Event.MATCH_REFUSED"))),
    ("granted-for-them", "a new user has consented to everything",
     instead(OBJECTS, "PolicyObjects.consent", "ConsentState()",
             "ConsentState(of_age=True, grants=tuple(__import__('bioguard.records.consent', fromlist=['Grant']).Grant(modality=m, purpose=p, policy_version=1, granted_ms=0, expires_ms=1 << 47) for m in __import__('bioguard.records.modality', fromlist=['Modality']).Modality for p in __import__('bioguard.records.consent', fromlist=['Purpose']).Purpose))")),
)  # fmt: skip

AUTHORIZED = row(
    9,
    ("no-token", "an enrollment needs no PIN", begins(AUTHORIZATION, "SensorAuthorization._refuse_owned", "return")),
    ("finger-adds-finger", "a biometric token enrolls",
     instead(TRUSTED_PINS, "check_pin_token", "token.authenticator_type != AuthenticatorType.PASSWORD or not token.user_id", "not token.user_id")),
    ("anybodys-pin", "a token of anybody's PIN will do", without(TRUSTED_PINS, "check_pin_token", "if not pins(user, token.user_id).is_current")),
    ("no-challenge", "an old token enrolls again", without(AUTHORIZATION, "SensorAuthorization.allow_enrollment", "if not table.holds")),
    ("no-mac", "the MAC of a token is not checked", without(TOKENS, "verified_token", "if not check(data)")),
    ("free-erasure", "anybody erases anybody's records",
     without(ENFORCEMENT, "PolicyEnforcer.authorize_erasure", "self.identified(user, authorization.token)")),
    ("any-face", "any face opens", instead("src/bioguard/trusted/biometric/decision.py", "judge", "best.score >= best.levels.accept and not spent(best.record_id)", "True")),
    ("any-pin", "any PIN is right", instead(GATEKEEPER, "Gatekeeper._check", "not (current and right)", "not current")),
    ("no-throttle", "PINs may be guessed without a wait", begins("src/bioguard/trusted/gatekeeper/throttle.py", "retry_timeout_ms", "return 0")),
    ("no-lockout", "faces may be tried without end", begins("src/bioguard/trusted/sensor/lockout.py", "LockoutPolicy.charge", "return state")),
    ("no-token-of-match", "a match gives no token",
     instead(AUTHORIZATION, "SensorAuthorization.settlement", "outcome is AttemptOutcome.MATCH and strong and self._tokens and (state.secure_user_id != 0)", "False")),
)  # fmt: skip

RETENTION = row(
    10,
    ("kept", "nothing is ever over", answers(ENFORCEMENT, "PolicyEnforcer._due", "return lambda end_ms: False")),
    ("twice-as-long", "records are kept twice as long",
     instead(ENFORCEMENT, "PolicyEnforcer.expires_ms", "self.state.retention_days * DAY_MS", "2 * self.state.retention_days * DAY_MS")),
    ("a-day-more", "records are kept a day longer",
     instead(ENFORCEMENT, "PolicyEnforcer.expires_ms", "self.state.retention_days * DAY_MS", "(self.state.retention_days + 1) * DAY_MS")),
    ("not-at-start", "a start erases nothing",
     instead(ENFORCEMENT, "PolicyEnforcer.start", "replace(self.purge(), moved_days=moved_days)", "replace(self.at_start, moved_days=moved_days)")),
    ("not-by-purge", "`purge` erases nothing", answers(HANDLERS, "purge", "return commands.Purged(status=ReplyStatus.OK)")),
    ("used-when-over", "a record that is over is used until it is erased", answers(ENFORCEMENT, "PolicyEnforcer.is_over", "return False")),
    ("found-when-over", "a record that is over is still found by a search", begins(GALLERY, "GalleryIndex.retire", "return")),
    ("fingers-kept", "fingerprints are kept for ever",
     instead(ENFORCEMENT, "PolicyEnforcer._ends", "self.expires_ms(enrolled_s)", "self.expires_ms(enrolled_s) if modality is Modality.FACE else MAX_MS")),
    ("no-doubt", "a wrong clock erases everybody", answers(DOUBTS, "in_doubt", "return False")),
    ("first-only", "a purge erases one record of each user",
     instead(ENFORCEMENT, "PolicyEnforcer.purge", "self._erase(user, to_erase)", "self._erase(user, to_erase[:1])")),
)  # fmt: skip

LOG_CLEARED = row(
    11,
    ("ninety-days", "bodies are kept for 90 days", value(LOG, "LOG_DAYS", "90")),
    ("a-day-more", "bodies are kept a day longer than said",
     instead(LOG, "_body_ends_ms", "LOG_DAYS * DAY_MS", "(LOG_DAYS + 1) * DAY_MS")),
    ("never", "bodies are never cleared", begins(LOG, "AuditLog.prune", "return 0")),
    ("ten", "a purge clears ten bodies at most", instead(LOG, "AuditLog.prune", "first < self.head.size", "first < self.head.size and pruned < 10")),
    ("beside", "cleared bodies are kept in an object of their own",
     instead(LOG, "AuditLog._logging", "self._write(transaction, head, chunks)",
             "(self._write(transaction, head, chunks), [transaction.put(b'B' + where, self._chunk(where).to_bytes(), kind='log') for where in chunks])[0]")),
    ("unlogged", "that bodies were cleared is not logged", without(LOG, "AuditLog.prune", "self.note(Event.LOG_PRUNED")),
    ("leaves-too", "leaves are cleared with the bodies, so old proofs fail",
     instead(LOG, "AuditLog.prune", "items[offset].leaf", "bytes(32)")),
    ("not-at-start", "bodies are cleared by hand only",
     instead(ENFORCEMENT, "PolicyEnforcer.purge", "self.log.prune(due)", "self.log.prune(due) if self._started else 0")),
)  # fmt: skip

INCIDENT = row(
    12,
    ("none", "no incident is opened", begins(INCIDENTS, "record_incident", "return")),
    ("acknowledged", "an incident is opened as if somebody had seen it",
     instead(INCIDENTS, "_with", "Incident(number, cause, code, time.time_ns() // 1000000, scripted=scripted)",
             "Incident(number, cause, code, time.time_ns() // 1_000_000, True, scripted)")),
    ("no-advice", "an incident gives no advice", instead(INCIDENT_TEXTS, "Incident.text", "TEXTS[self.cause]", "__import__('dataclasses').replace(TEXTS[self.cause], advice='-')")),
    ("calming", "an incident says that nothing happened",
     instead(INCIDENT_TEXTS, "Incident.text", "TEXTS[self.cause]", "__import__('dataclasses').replace(TEXTS[self.cause], situation='everything is fine')")),
    ("rollback-as-damage", "a rollback is told as damage", value(INCIDENTS, "_CAUSES", "{CLOCK_MOVED: Cause.CLOCK_MOVED}")),
    ("rollback-unseen", "an old copy of the store opens",
     text(STORE, "        if rpmb is None:\n", "        if 1:\n")),
    ("damage-unseen", "a damaged store opens no incident", value(INCIDENTS, "_OPENS_ONE", '("device.", "incident.")')),
    ("forgotten", "incidents are forgotten at the next look",
     before_return(INCIDENTS, "incidents", "(directory / INCIDENTS_FILE).unlink(missing_ok=True)")),
    ("one-for-all", "only the first incident is kept", instead(INCIDENTS, "_with", "[*found, Incident(number, cause, code, time.time_ns() // 1000000, scripted=scripted)]",
                                                           "found or [Incident(number, cause, code, time.time_ns() // 1_000_000, scripted=scripted)]")),
)  # fmt: skip

IDENTITY = row(
    13,
    ("a-day", "a token is good for 23 hours", value(POLICY_COMMANDS, "RIGHTS_TOKEN_AGE_MS", "82_800_000")),
    ("six-minutes", "a token is good for six minutes", value(POLICY_COMMANDS, "RIGHTS_TOKEN_AGE_MS", "360_000")),
    ("no-age", "a token's age is not asked", without(TRUSTED_PINS, "check_pin_token", "if max_age_ms is not None")),
    ("future", "a token from the future is good", without(TOKENS, "verified_token", "if token.timestamp_ms > now_ms")),
    ("no-token", "access needs no token", instead(ENFORCEMENT, "PolicyEnforcer.identified", "not token and (not required) and (not bound)", "not token")),
    ("another-pin", "another person's PIN is good for a request", without(TRUSTED_PINS, "check_pin_token", "if not pins(user, token.user_id).is_current")),
    ("biometric", "a face is enough for a request",
     instead(TRUSTED_PINS, "check_pin_token", "token.authenticator_type != AuthenticatorType.PASSWORD or not token.user_id", "not token.user_id")),
    ("no-mac", "a forged token is good", without(TOKENS, "verified_token", "if not check(data)")),
    ("reset-pin", "a PIN that was set anew decides about what was before", without(ENFORCEMENT, "PolicyEnforcer.identified", "if bound not in")),
    ("rename", "anybody renames anybody", without(USER_COMMANDS, "UserCommands._change_label", "self._policy.identified")),
    ("restrict", "anybody restricts anybody", instead(HANDLERS, "restrict", "policy.identified(request.user, request.token, required=True)", "policy.objects.consent(request.user)")),
    ("withdraw", "anybody withdraws for anybody", instead(HANDLERS, "withdraw", "policy.identified(request.user, request.token)", "policy.objects.consent(request.user)")),
)  # fmt: skip

RESTRICTION = row(
    18,
    ("never", "a restriction stops nothing", without(CONSENT, "allowed", "if state.restricted")),
    ("fingers", "a restriction does not stop fingerprints", instead(CONSENT, "allowed", "state.restricted", f"state.restricted and not ({FINGER})")),
    ("enrollment", "a restriction does not stop enrollments", instead(CONSENT, "allowed", "state.restricted", "state.restricted and purpose is not None")),
    ("search", "a restricted person is searched for", instead(CONSENT, "allowed", "state.restricted", "state.restricted and purpose is not Purpose.IDENTIFY")),
    ("key-use", "a restriction does not stop the use of keys", instead(CONSENT, "allowed", "state.restricted", "state.restricted and purpose is not Purpose.KEY_USE")),
    ("gallery", "a restricted person stays in the gallery of searches", without(HANDLERS, "_stored", "policy.vault.drop_galleries()")),
    ("erases", "a restriction erases the records",
     begins(HANDLERS, "restrict", "if request.on:\n    for record_id, _, _ in list(policy.vault.ages(request.user)):\n        policy.vault.erase(request.user, record_id, Cause.REQUESTED)")),
    ("until-restart", "a restriction ends with a start of the secure world",
     begins(ENFORCEMENT, "PolicyEnforcer._count_start", "for _user, _consent in [(h.owner, self.objects.consent(h.owner)) for h in list(self.env.store.headers()) if h.kind == 'consent']:\n    if _consent.restricted:\n        self.store(consent=(_user, replace(_consent, restricted=False)))")),
    ("for-good", "a restriction cannot be ended", instead(HANDLERS, "restrict", "replace(consent, restricted=request.on)", "replace(consent, restricted=True)")),
)  # fmt: skip

OBJECTION = row(
    20,
    ("never", "an objection stops nothing", instead(CONSENT, "allowed", "int(g.purpose) not in state.objections", "True")),
    ("fingers", "an objection does not stop fingerprints", instead(CONSENT, "allowed", "int(g.purpose) not in state.objections", f"int(g.purpose) not in state.objections or {FINGER}")),
    ("search", "an objection to being searched for stops nothing",
     instead(CONSENT, "allowed", "int(g.purpose) not in state.objections", "int(g.purpose) not in state.objections or g.purpose is Purpose.IDENTIFY")),
    ("keys", "an objection to the use of keys stops nothing",
     instead(CONSENT, "allowed", "int(g.purpose) not in state.objections", "int(g.purpose) not in state.objections or g.purpose is Purpose.KEY_USE")),
    ("gallery", "a person who objects stays in the gallery of searches", without(HANDLERS, "_stored", "policy.vault.drop_galleries()")),
    ("unlogged", "an objection is not logged", instead(HANDLERS, "_done", "policy.log.note(event, subject=user, **fields)", "event is Event.OBJECTED or policy.log.note(event, subject=user, **fields)")),
    ("until-restart", "an objection ends with a start",
     begins(ENFORCEMENT, "PolicyEnforcer._count_start", "for _user, _consent in [(h.owner, self.objects.consent(h.owner)) for h in list(self.env.store.headers()) if h.kind == 'consent']:\n    if _consent.objections:\n        self.store(consent=(_user, replace(_consent, objections=())))")),
    ("stops-all", "an objection to one purpose stops the others",
     instead(HANDLERS, "object_to", "tuple(sorted({*consent.objections, int(request.purpose)}))", "(1, 2, 3)")),
)  # fmt: skip

WITHDRAWAL = row(
    21,
    ("never", "a withdrawal changes nothing", answers(CONSENT, "withdrawn", "return state")),
    ("fingers", "a withdrawal for fingerprints changes nothing", begins(CONSENT, "withdrawn", f"if {FINGER}:\n    return state")),
    ("kept", "records without a purpose are kept",
     instead(ENFORCEMENT, "PolicyEnforcer.end_purposes", "due(ends[Cause.EXPIRED])", "False")),
    ("fingers-kept", "fingerprints without a purpose are kept",
     instead(ENFORCEMENT, "PolicyEnforcer._ends", "purpose_ends_ms(consent, modality)", "purpose_ends_ms(consent, modality) if modality is Modality.FACE else MAX_MS")),
    ("gallery", "who withdraws stays in the gallery of searches", without(ENFORCEMENT, "PolicyEnforcer.end_purposes", "self.vault.drop_galleries()")),
    ("first-of-two", "withdrawing one purpose erases everything", instead(CONSENT, "purpose_ends_ms", "max((g.expires_ms for g in state.grants if g.modality is modality), default=0)", "min((g.expires_ms for g in state.grants if g.modality is modality), default=0) if len(state.grants) > 1 else 0")),
    ("in-flight", "an enrollment in flight is finished after a withdrawal", begins(CONSENT, "allowed", "if purpose is None and not state.grants:\n    return None")),
    ("cause", "the log says that a withdrawal was an expiry",
     instead(HANDLERS, "withdraw", "policy.end_purposes(request.user, left, Cause.WITHDRAWN)", "policy.end_purposes(request.user, left, Cause.EXPIRED)")),
    ("unlogged", "a withdrawal is not logged", without(HANDLERS, "withdraw", "policy.log.note(Event.CONSENT_WITHDRAWN")),
)  # fmt: skip

CHILDREN = row(
    24,
    ("thirteen", "the minimum age is 13", text(OBJECTS, "UpTo(30)] = 16", "UpTo(30)] = 13")),
    ("unattested", "a consent needs no age", without(HANDLERS, "grant", "if not request.of_age")),
    ("attested-for-them", "the age is attested by the product", instead(CONSENT_CALLS, "grant_each", "commands.GrantConsent(user=user, modalities=modalities, purposes=purposes, days=days, of_age=of_age, token=token)",
                                                                   "commands.GrantConsent(user=user, modalities=modalities, purposes=purposes, days=days, of_age=True, token=token)")),
    ("fingers-unattested", "fingerprints of children may be enrolled", instead(HANDLERS, "grant", "not request.of_age", "not request.of_age and 1 in map(int, request.modalities)")),
    ("kept", "a child's records are kept", instead(HANDLERS, "mark_underage", "policy.end_purposes(request.user, consent, Cause.UNDERAGE)", "()")),
    ("fingers-kept", "a child's fingerprints are kept",
     instead(ENFORCEMENT, "PolicyEnforcer._ends", "purpose_ends_ms(consent, modality)", "purpose_ends_ms(consent, modality) if modality is Modality.FACE else MAX_MS")),
    ("first-kept", "one record of a child is kept", instead(ENFORCEMENT, "PolicyEnforcer.end_purposes", "[record_id for record_id, ends in self._ends(user, consent).items() if due(ends[Cause.EXPIRED])]",
                                                       "[record_id for record_id, ends in self._ends(user, consent).items() if due(ends[Cause.EXPIRED])][1 if cause is Cause.UNDERAGE else 0:]")),
    ("enrolled-again", "a child that was found is enrolled again", instead(HANDLERS, "mark_underage", "replace(policy.objects.consent(request.user), grants=(), of_age=False)", "policy.objects.consent(request.user)")),
    ("fifteen", "the minimum age is 15", text(OBJECTS, "UpTo(30)] = 16", "UpTo(30)] = 15")),
)  # fmt: skip

POLICY_VERSIONS = row(
    26,
    ("goes-on", "a newer policy suspends nothing", instead(CONSENT, "allowed", "g.policy_version == policy_version", "True")),
    ("fingers", "a newer policy does not suspend fingerprints", instead(CONSENT, "allowed", "g.policy_version == policy_version", f"g.policy_version == policy_version or {FINGER}")),
    ("search", "a newer policy does not stop searches", instead(CONSENT, "allowed", "g.policy_version == policy_version", "g.policy_version == policy_version or g.purpose is Purpose.IDENTIFY")),
    ("keys", "a newer policy does not stop the use of keys", instead(CONSENT, "allowed", "g.policy_version == policy_version", "g.policy_version == policy_version or g.purpose is Purpose.KEY_USE")),
    ("gallery", "suspended people stay in the gallery", without(HANDLERS, "set_policy", "policy.vault.drop_galleries()")),
    ("down", "the version goes down", instead(HANDLERS, "set_policy", "request.version < state.version", "False")),
    ("one-behind", "a version that is one behind is good", instead(CONSENT, "allowed", "g.policy_version == policy_version", "g.policy_version >= policy_version - 1")),
    ("confirmed-for-them", "a change confirms itself",
     before_return(HANDLERS, "set_policy", "for _user, _consent in [(h.owner, policy.objects.consent(h.owner)) for h in list(policy.env.store.headers()) if h.kind == 'consent']:\n    policy.store(consent=(_user, replace(_consent, grants=tuple(replace(g, policy_version=request.version) for g in _consent.grants))))")),
    ("unlogged", "a change of the policy is not logged", instead(HANDLERS, "set_policy", "policy.save(changed, Event.POLICY_CHANGED, number=request.version)", "policy.save(changed)")),
    ("never-again", "a confirmation changes nothing", instead(HANDLERS, "confirm", "replace(consent, grants=grants)", "consent")),
)  # fmt: skip

PRODUCTS = (
    *PURPOSE, *AUTHORIZED, *RETENTION, *LOG_CLEARED, *INCIDENT, *IDENTITY, *RESTRICTION, *OBJECTION, *WITHDRAWAL,
    *CHILDREN, *POLICY_VERSIONS,
)  # fmt: skip
