// FakeFingerprintEngineTest and FakeFingerprintEngineUdfpsTest: what Android asserts of its virtual fingerprint HAL,
// with real touches in place of ids.
import { strict as assert } from 'node:assert';
import { SENSORS, STRANGER, differs } from './device.mjs';

const PERSON = 1;
const GOOD = 'ACQUIRED 1 0';
const FAILED = 'AUTHENTICATION_FAILED';
const CANCELED = 'ERROR 5 0';
const UNABLE = 'ERROR 2 0';
const succeeded = (id) => `AUTHENTICATION_SUCCEEDED ${id} token`;

const is = assert.deepEqual;
const rear = (device) => device.session(SENSORS.rear);

async function enrolled(device) {
  const session = await rear(device);
  return [session, await session.enroll(PERSON)];
}

// Whether nothing runs: only then may a session be closed.
const idle = async (session) => is(await session.close(), ['SESSION_CLOSED']);

async function stillRunning(session) {
  is(await session.refused('close'), 'session.state');
  is(await session.call('cancel', null), [CANCELED]);
}

// Each presented finger in turn: one that is not enrolled is a failed attempt, and the operation goes on.
const rejected = (person, position) => async (device) => {
  const [session] = await enrolled(device);
  is(await session.authenticate(100), []);
  is(await session.present(person, position, 0), [GOOD, FAILED]);
  await stillRunning(session);
};

const detected = (person, position) => async (device) => {
  const [session] = await enrolled(device);
  is(await session.detect(), []);
  is(await session.present(person, position, 0), [GOOD, 'INTERACTION_DETECTED']);
  is(await session.refused('present', 0, (await device.sample(person, position, 0)).sample, null), 'session.state');
};

const attempts = (knobs, expected) => async (device) => {
  const [session, id] = await enrolled(device);
  await device.set(knobs);
  is(await session.attempt(PERSON, 1, 2), expected(id));
};

// How long each of `count` presence checks takes.
export async function latencies(device, sensor, count) {
  const session = await device.session(sensor);
  const taken = [];
  for (let number = 0; number < count; number++) {
    await session.detect();
    const before = await device.now();
    await session.present(STRANGER, 1, 0);
    taken.push(device.events.at(-1).timeMs - before);
  }
  await session.close();
  return taken;
}

// What lies on a display is seen when the display is ready, and not before.
async function onDisplay(session, acted) {
  is(await session.down(), []);
  is(await session.present(PERSON, 1, 0), []);
  assert.match((await session.call('on_ui_ready')).at(-1), acted);
}

export const rows = {
  async 'FakeFingerprintEngineTest.GenerateChallenge'(device) {
    const session = await rear(device);
    const challenge = await session.challenge();
    is(await session.begin({ token: await device.verify('alice', challenge) }), []);
  },

  async 'FakeFingerprintEngineTest.RevokeChallenge'(device) {
    const session = await rear(device);
    const challenge = await session.challenge();
    is(await session.call('revoke_challenge', challenge), [`CHALLENGE_REVOKED ${challenge}`]);
    is(await session.begin({ token: await device.verify('alice', challenge) }), [UNABLE]);
  },

  'FakeFingerprintEngineTest.ResetLockout': differs('any MAC that is not empty does there; here a recent token of the PIN', async (device) => {
    const [session] = await enrolled(device);
    await device.set({ lockout: 'true' });
    is(await session.reset(Buffer.alloc(69, 'x')), [UNABLE]);
    is(await device.faults(), { lockout: 'true' });
    is(await session.reset(), ['LOCKOUT_CLEARED']);
    is(await device.faults(), {});
  }),

  'FakeFingerprintEngineTest.AuthenticatorId': differs('ids are drawn by the device, none is set', async (device) => {
    is(await device.refused('fault_set', 'authenticator_id', '50'), 'fault.no_effect');
    const [session] = await enrolled(device);
    const id = await session.authenticatorId();
    assert.notEqual(id, 50);
    is(await session.authenticatorId(), id);
  }),

  async 'FakeFingerprintEngineTest.AuthenticatorIdInvalidate'(device) {
    const [session] = await enrolled(device);
    const before = await session.authenticatorId();
    const [told] = await session.call('invalidate_authenticator_id');
    const after = await session.authenticatorId();
    is(told, `AUTHENTICATOR_ID_INVALIDATED ${after}`);
    assert.notEqual(before, after);
  },

  async 'FakeFingerprintEngineTest.Enroll'(device) {
    const [session, first] = await enrolled(device);
    await device.set({ next_enrollment: '4:0,0:true' });
    const second = await session.enroll(PERSON, { position: 2 });
    is(device.told.slice(-2), [GOOD, `ENROLLMENT_PROGRESS ${second} 0`]);
    is(new Set(await session.ids()), new Set([first, second]));
    is(await device.faults(), {});
    await session.call('remove_enrollments', [first, second]);
    await idle(session);
  },

  async 'FakeFingerprintEngineTest.EnrollCancel'(device) {
    const session = await rear(device);
    await device.set({ next_enrollment: '4:0,0:true' });
    const kept = await device.faults();
    await session.begin();
    is(await session.call('cancel', session.operation), [CANCELED]);
    is(await session.ids(), []);
    is(await device.faults(), kept);
  },

  async 'FakeFingerprintEngineTest.EnrollFail'(device) {
    const session = await rear(device);
    await device.set({ next_enrollment: '2:0,0:false' });
    await session.begin();
    await session.present(PERSON, 1, 0);
    is(await session.present(PERSON, 1, 1), [UNABLE]);
    is(await session.ids(), []);
    is(await device.faults(), {});
  },

  async 'FakeFingerprintEngineTest.EnrollAcquired'(device) {
    const session = await rear(device);
    await device.set({ next_enrollment: '4:0,5-[12,1013]:true' });
    await session.begin();
    const told = [...(await session.present(PERSON, 1, 0)), ...(await session.present(PERSON, 1, 1))];
    is(told.filter((line) => line.startsWith('ACQUIRED')), [GOOD, 'ACQUIRED 12 0', 'ACQUIRED 7 13']);
    is((await session.ids()).length, 1);
  },

  async 'FakeFingerprintEngineTest.Authenticate'(device) {
    const [session, id] = await enrolled(device);
    is(await session.attempt(PERSON, 1, 2), [GOOD, succeeded(id)]);
    await session.call('remove_enrollments', [id]);
    await idle(session);
  },

  async 'FakeFingerprintEngineTest.AuthenticateCancel'(device) {
    const [session] = await enrolled(device);
    await session.authenticate();
    is(await session.call('cancel', session.operation), [CANCELED]);
    is(await session.refused('present', 0, (await device.sample(PERSON, 1, 2)).sample, null), 'session.state');
  },

  'FakeFingerprintEngineTest.AuthenticateNotSet': rejected(STRANGER, 1),
  'FakeFingerprintEngineTest.AuthenticateNotEnrolled': rejected(PERSON, 2),
  'FakeFingerprintEngineTest.AuthenticateLockout': attempts({ lockout: 'true' }, () => ['LOCKOUT_PERMANENT', 'ERROR 1 0']),
  'FakeFingerprintEngineTest.AuthenticateError8': attempts({ operation_authenticate_error: '8' }, () => ['ERROR 8 0']),
  'FakeFingerprintEngineTest.AuthenticateError9': attempts({ operation_authenticate_error: '1009' }, () => ['ERROR 7 9']),

  async 'FakeFingerprintEngineTest.AuthenticateFails'(device) {
    const [session] = await enrolled(device);
    await device.set({ operation_authenticate_fails: 'true' });
    await session.authenticate();
    is(await session.present(PERSON, 1, 2), [GOOD, FAILED]);
    await stillRunning(session);
  },

  'FakeFingerprintEngineTest.AuthenticateAcquired': attempts({ operation_authenticate_acquired: '4,1009' }, (id) => [
    'ACQUIRED 4 0',
    'ACQUIRED 7 9',
    succeeded(id),
  ]),

  'FakeFingerprintEngineTest.InteractionDetect': detected(PERSON, 1),

  async 'FakeFingerprintEngineTest.InteractionDetectCancel'(device) {
    const session = await rear(device);
    await session.detect();
    is(await session.call('cancel', session.operation), [CANCELED]);
  },

  'FakeFingerprintEngineTest.InteractionDetectNotSet': detected(STRANGER, 1),
  'FakeFingerprintEngineTest.InteractionDetectNotEnrolled': detected(PERSON, 2),

  async 'FakeFingerprintEngineTest.InteractionDetectError'(device) {
    const session = await rear(device);
    await device.set({ operation_detect_interaction_error: '8' });
    await session.detect();
    is(await session.present(PERSON, 1, 0), ['ERROR 8 0']);
  },

  async 'FakeFingerprintEngineTest.InteractionDetectAcquired'(device) {
    const session = await rear(device);
    await device.set({ operation_detect_interaction_acquired: '4,1013' });
    await session.detect();
    is(await session.present(PERSON, 1, 0), ['ACQUIRED 4 0', 'ACQUIRED 7 13', 'INTERACTION_DETECTED']);
  },

  async 'FakeFingerprintEngineTest.EnumerateEnrolled'(device) {
    const [session, first] = await enrolled(device);
    const second = await session.enroll(PERSON, { position: 2 });
    is(new Set(await session.ids()), new Set([first, second]));
  },

  async 'FakeFingerprintEngineTest.RemoveEnrolled'(device) {
    const [session, first] = await enrolled(device);
    const others = [await session.enroll(PERSON, { position: 2 }), await session.enroll(PERSON, { position: 3 })];
    is(await session.call('remove_enrollments', [others[0]]), [`ENROLLMENTS_REMOVED ${others[0]}`]);
    is(new Set(await session.ids()), new Set([first, others[1]]));
  },

  'FakeFingerprintEngineTest.parseIntSequence': differs('a list that does not parse is refused when it is set; there it is empty', async (device) => {
    const knob = 'operation_authenticate_acquired';
    for (const list of ['1', '1,1001,4']) {
      await device.set({ [knob]: list === '1' ? '2' : list });
      is(await device.faults(), { [knob]: list === '1' ? '2' : list });
    }
    for (const bad of ['a', '1,b', '1,,2', '1,-2', '1 2']) is(await device.refused('fault_set', knob, bad), 'fault.value');
    is(await device.faults(), { [knob]: '1,1001,4' });
  }),

  async 'FakeFingerprintEngineTest.parseEnrollmentCaptureOk'(device) {
    const scripts = { '1:100,200:true': '1:100-[1],200-[1]:true', '2:1000-[5, 1], 500:1': '2:1000-[5,1],500-[1]:true' };
    for (const [script, kept] of Object.entries(scripts)) {
      await device.set({ next_enrollment: script });
      is(await device.faults(), { next_enrollment: kept });
    }
  },

  async 'FakeFingerprintEngineTest.parseEnrollmentCaptureFail'(device) {
    for (const bad of ['1:true', '1:100:true:2', 'a:100:true', '1:x:true', '1:100-[1:true', '1:100-[a]:true', '1::true']) {
      is([bad, await device.refused('fault_set', 'next_enrollment', bad)], [bad, 'fault.grammar']);
    }
    is(await device.faults(), {});
  },

  'FakeFingerprintEngineTest.randomLatency': differs('nothing takes 400 ms by itself: a device takes what its scenario says', async (device) => {
    const knob = 'operation_detect_interaction_latency';
    is(await latencies(device, SENSORS.rear, 1), [0]);
    await device.set({ [knob]: '500' });
    is(await latencies(device, SENSORS.rear, 2), [500, 500]);
    await device.ask('scenario_load', Buffer.from('format = "bioguard-scenario 2"\nseed = 21\n'));
    await device.set({ [knob]: '1,1000' });
    const drawn = await latencies(device, SENSORS.rear, 100);
    assert.ok(new Set(drawn).size > 95 && Math.min(...drawn) >= 1 && Math.max(...drawn) <= 1000);
  }),

  'FakeFingerprintEngineTest.lockoutTimer': differs('a lockout is as long as the sealed policy says: 30 s, not 200 ms', async (device) => {
    const [session] = await enrolled(device);
    is((await session.misses(5)).at(-1), 'LOCKOUT_TIMED 30000');
    is(await device.advance(29_999), []);
    is(await device.advance(1), ['LOCKOUT_CLEARED']);
    is(await device.advance(1), []);
  }),

  'FakeFingerprintEngineUdfpsTest.getSensorLocationOk': differs('a place has no display: a device has one', async (device) => {
    is(device.sensors[SENSORS.display].place, [100, 200, 30]);
  }),

  'FakeFingerprintEngineUdfpsTest.getSensorLocationBad': differs('a scenario with a bad place is refused, none has a default place', async (device) => {
    is(device.sensors[SENSORS.lit].place, null);
    for (const bad of ['"100"', '{ x = 10, y = 20 }', '{ x = "a", y = "b", radius = "c" }']) {
      const toml = `format = "bioguard-scenario 2"\n[[sensor]]\nkind = "fingerprint"\nlocation = ${bad}\n`;
      assert.match(await device.refused('scenario_load', Buffer.from(toml)), /^scenario\.(wrong_type|missing_key|wrong_value)$/);
    }
  }),

  async 'FakeFingerprintEngineUdfpsTest.initialization'(device) {
    await idle(await device.session(SENSORS.display));
  },

  async 'FakeFingerprintEngineUdfpsTest.authenticate'(device) {
    const session = await device.session(SENSORS.display);
    await session.begin({ touches: 1 });
    await onDisplay(session, /^ENROLLMENT_PROGRESS \d+ 0$/);
    await session.authenticate(1);
    await onDisplay(session, /^AUTHENTICATION_SUCCEEDED \d+ token$/);
  },

  async 'FakeFingerprintEngineUdfpsTest.enroll'(device) {
    const session = await device.session(SENSORS.display);
    await session.begin();
    await onDisplay(session, /^ENROLLMENT_PROGRESS 0 1$/);
  },

  async 'FakeFingerprintEngineUdfpsTest.detectInteraction'(device) {
    const session = await device.session(SENSORS.display);
    await session.detect();
    await onDisplay(session, /^INTERACTION_DETECTED$/);
  },

  async 'FakeFingerprintEngineUdfpsTest.controlIllumination'(device) {
    const session = await device.session(SENSORS.lit);
    await session.detect();
    is(await session.present(PERSON, 1, 0), []);
    is(await session.down(), [GOOD, 'INTERACTION_DETECTED']);
  },
};
