// FakeFaceEngineTest: what Android asserts of its virtual face HAL, with real views of faces in place of ids.
import { strict as assert } from 'node:assert';
import { ENUMS, SENSORS, STRANGER, differs } from './device.mjs';
import { latencies } from './fingerprint.mjs';

const PERSON = 5;
const GOOD = 'AUTHENTICATION_FRAME 1 0 1000 1000';
const FAILED = 'AUTHENTICATION_FAILED';
const CANCELED = 'ERROR 5 0';
const UNABLE = 'ERROR 2 0';
const NOT_ENROLLED = 'ERROR 2 0 match.not_enrolled';
const SCRIPT = '1:1000-[21,5,6,7,1],1100-[1118,1108,1]';
const { REQUIRE_ATTENTION: ATTENTION, REQUIRE_DIVERSE_POSES: POSES, DEBUG } = ENUMS['Feature (faces)'];
const LATENCY = 'operation_detect_interaction_latency';

const is = assert.deepEqual;
const face = (device) => device.session(SENSORS.face);

async function enrolled(device, sensor = SENSORS.face) {
  const session = await device.session(sensor);
  return [session, await session.enroll(PERSON)];
}

async function features(session) {
  const [told] = await session.call('get_features');
  return told;
}

// Features turned on and off by turns: [feature, on] each; what is on in the end.
const setting = (steps, expected) => async (device) => {
  const [session] = await enrolled(device);
  for (const [feature, on] of steps) is(await session.call('set_feature', await device.token(session), feature, on), [`FEATURE_SET ${feature}`]);
  is(await features(session), `FEATURES_RETRIEVED ${expected}`.trimEnd());
};

// The script's frames of a whole enrollment, as info and vendor code.
async function scripted(device, session, result) {
  await device.set({ next_enrollment: `${SCRIPT}:${result}` });
  await session.begin();
  const told = [];
  for (const impression of [0, 1]) {
    await session.present(PERSON, 0, impression);
    told.push(...device.events);
  }
  return told;
}

export const rows = {
  'FakeFaceEngineTest.one_eq_one': differs('asserts nothing of a HAL', async (device) => {
    is(device.hello.face_version, 4);
  }),

  async 'FakeFaceEngineTest.GenerateChallenge'(device) {
    const session = await face(device);
    is(await session.begin({ token: await device.verify('alice', await session.challenge()) }), []);
  },

  async 'FakeFaceEngineTest.RevokeChallenge'(device) {
    const session = await face(device);
    const challenge = await session.challenge();
    is(await session.call('revoke_challenge', challenge), [`CHALLENGE_REVOKED ${challenge}`]);
    is(await session.begin({ token: await device.verify('alice', challenge) }), [UNABLE]);
  },

  'FakeFaceEngineTest.ResetLockout': differs('there any token does, an empty one too; here a recent one of the PIN', async (device) => {
    const [session] = await enrolled(device);
    await device.set({ lockout: 'true' });
    is(await session.reset(Buffer.alloc(0)), [UNABLE]);
    is(await session.reset(), ['LOCKOUT_CLEARED']);
    is(await device.faults(), {});
  }),

  'FakeFaceEngineTest.AuthenticatorId': differs('ids are drawn by the device, none is set', async (device) => {
    const [session] = await enrolled(device);
    const id = await session.authenticatorId();
    is(await session.authenticatorId(), id);
    assert.ok(![0, 50].includes(id));
  }),

  async 'FakeFaceEngineTest.GetAuthenticatorIdWeakReturnsZero'(device) {
    const [session] = await enrolled(device, SENSORS.infrared);
    is(device.sensors[SENSORS.infrared].strength, ENUMS.SensorStrength.WEAK);
    is(await session.authenticatorId(), 0);
  },

  async 'FakeFaceEngineTest.AuthenticatorIdInvalidate'(device) {
    const [session] = await enrolled(device);
    const before = await session.authenticatorId();
    const [told] = await session.call('invalidate_authenticator_id');
    is(told, `AUTHENTICATOR_ID_INVALIDATED ${await session.authenticatorId()}`);
    assert.notEqual(await session.authenticatorId(), before);
  },

  async 'FakeFaceEngineTest.Enroll'(device) {
    const session = await face(device);
    const told = await scripted(device, session, 'true');
    const frames = told.filter(({ name }) => name === 'ENROLLMENT_FRAME').map(({ fields }) => [fields.info, fields.vendor]);
    is(frames, [[21, 0], [5, 0], [6, 0], [7, 0], [1, 0], [23, 118], [23, 108], [1, 0]]);
    is(told.at(-1).fields.remaining, 0);
    is(await session.ids(), [told.at(-1).fields.enrollment_id]);
    is(await device.faults(), {});
  },

  async 'FakeFaceEngineTest.EnrollFails'(device) {
    const session = await face(device);
    const { name, fields } = (await scripted(device, session, 'false')).at(-1);
    is([name, fields.error], ['ERROR', 2]);
    is(await session.ids(), []);
    is(await device.faults(), {});
  },

  async 'FakeFaceEngineTest.EnrollCancel'(device) {
    const session = await face(device);
    await device.set({ next_enrollment: '1:2000-[21,8,9],300:false' });
    const kept = await device.faults();
    await session.begin();
    is(await session.call('cancel', session.operation), [CANCELED]);
    is(await session.ids(), []);
    is(await device.faults(), kept);
  },

  async 'FakeFaceEngineTest.Authenticate'(device) {
    const [session, id] = await enrolled(device);
    is(await session.attempt(PERSON, 0, 2), [GOOD, `AUTHENTICATION_SUCCEEDED ${id} token`]);
  },

  async 'FakeFaceEngineTest.AuthenticateCancel'(device) {
    const [session] = await enrolled(device);
    await session.authenticate();
    is(await session.call('cancel', session.operation), [CANCELED]);
  },

  'FakeFaceEngineTest.AuthenticateFailedForUnEnrolled': differs('one end of an operation: Failed, and no TIMEOUT after it', async (device) => {
    const [session] = await enrolled(device);
    is(await session.attempt(STRANGER, 0, 0), [GOOD, FAILED]);
    is(await session.call('cancel', null), []);
  }),

  async 'FakeFaceEngineTest.DetectInteraction'(device) {
    const [session] = await enrolled(device);
    await session.detect();
    is((await session.present(PERSON, 0, 2)).filter((line) => line === 'INTERACTION_DETECTED').length, 1);
  },

  async 'FakeFaceEngineTest.DetectInteractionCancel'(device) {
    const session = await face(device);
    await session.detect();
    is(await session.call('cancel', session.operation), [CANCELED]);
  },

  'FakeFaceEngineTest.GetFeatureEmpty': differs('UNABLE_TO_PROCESS where nobody is enrolled, as AIDL and VTS say', async (device) => {
    is(await features(await face(device)), NOT_ENROLLED);
  }),

  'FakeFaceEngineTest.SetFeature': setting([[ATTENTION, true]], '0'),
  'FakeFaceEngineTest.ToggleFeature': setting([[ATTENTION, true], [ATTENTION, false]], ''),
  'FakeFaceEngineTest.TurningOffNonExistentFeatureDoesNothing': setting([[ATTENTION, false]], ''),
  'FakeFaceEngineTest.SetMultipleFeatures': setting([[ATTENTION, true], [POSES, true], [DEBUG, true]], '0,1,2'),
  'FakeFaceEngineTest.SetMultipleFeaturesAndTurnOffSome': setting([[ATTENTION, true], [POSES, true], [DEBUG, true], [DEBUG, false]], '0,1'),

  async 'FakeFaceEngineTest.Enumerate'(device) {
    const [session, first] = await enrolled(device);
    const second = await session.enroll(PERSON + 1);
    is(new Set(await session.ids()), new Set([first, second]));
  },

  async 'FakeFaceEngineTest.RemoveEnrollments'(device) {
    const [session, first] = await enrolled(device);
    const [second, third] = [await session.enroll(PERSON + 1), await session.enroll(PERSON + 2)];
    await session.call('remove_enrollments', [first, third]);
    is(await session.ids(), [second]);
  },

  async 'FakeFaceEngineTest.ResetLockoutWithAuth'(device) {
    const [session, id] = await enrolled(device);
    await session.misses(5);
    is(await session.attempt(PERSON, 0, 2), ['LOCKOUT_TIMED 30000']);
    is(await session.reset(), ['LOCKOUT_CLEARED']);
    is((await session.attempt(PERSON, 0, 2)).at(-1), `AUTHENTICATION_SUCCEEDED ${id} token`);
  },

  'FakeFaceEngineTest.LatencyDefault': differs('nothing takes 400 ms by itself: a device takes what its scenario says', async (device) => {
    is(await latencies(device, SENSORS.face, 1), [0]);
  }),

  async 'FakeFaceEngineTest.LatencyFixed'(device) {
    await device.set({ [LATENCY]: '10' });
    is(await latencies(device, SENSORS.face, 2), [10, 10]);
  },

  async 'FakeFaceEngineTest.LatencyRandom'(device) {
    await device.ask('scenario_load', Buffer.from('format = "bioguard-scenario 2"\nseed = 21\n'));
    await device.set({ [LATENCY]: '1,1000' });
    const drawn = await latencies(device, SENSORS.face, 100);
    assert.ok(new Set(drawn).size > 95 && Math.min(...drawn) >= 1 && Math.max(...drawn) <= 1000);
  },
};
