// SessionTest, WorkerThreadTest and the VTS of both HALs; rows 3 and 6 of the checklist where the process ends.
import { strict as assert } from 'node:assert';
import { ENUMS, SENSORS, differs } from './device.mjs';

const PERSON = 8;
const CANCELED = 'ERROR 5 0';
const KINDS = { fp: SENSORS.rear, face: SENSORS.face };

const is = assert.deepEqual;
let life;

// One end of the server for every row about it: what is there before, and what is after.
async function overDeath(device) {
  if (life !== undefined) return life;
  const session = await device.session(SENSORS.rear);
  const id = await session.enroll(PERSON);
  const authenticatorId = await session.authenticatorId();
  await session.misses(4);
  await session.authenticate();
  await session.call('remove_enrollments', [id]);
  is(await device.refused('close', 0), 'session.unknown');
  is(await session.refused('close'), 'session.state');
  is(await device.restart(), 0);
  const after = await device.session(SENSORS.rear);
  life = { id, authenticatorId, ids: await after.ids(), authenticatorIdAfter: await after.authenticatorId(), number: after.number };
  life.told = await after.misses(1);
  return life;
}

const fifo = ['enumerate_enrollments', 'get_authenticator_id', 'generate_challenge', 'enumerate_enrollments', 'get_authenticator_id'];
const TOLD = { enumerate_enrollments: 'ENROLLMENTS_ENUMERATED', get_authenticator_id: 'AUTHENTICATOR_ID_RETRIEVED', generate_challenge: 'CHALLENGE_GENERATED' };

async function revoked(device, sensor, challenge) {
  const session = await device.session(sensor);
  const value = challenge ?? (await session.challenge());
  is(await session.call('revoke_challenge', value), [`CHALLENGE_REVOKED ${value}`]);
}

const answers = (method, expected, ...fields) => (sensor) => async (device) => {
  is(await (await device.session(sensor)).call(method, ...fields), [expected]);
};

const VTS = {
  GetSensorPropsWorksTest: (sensor) =>
    differs('hello has no component information: a simulator has one component, its software', async (device) => {
      assert.match(device.hello.software, /^bioguard \d/);
      is(device.hello.simulated, true);
      is(device.sensors[sensor].sensor, sensor);
    }),
  EnrollWithBadHatResultsInErrorTest: (sensor) => async (device) => {
    is(await (await device.session(sensor)).begin({ token: Buffer.alloc(0) }), ['ERROR 2 0']);
  },
  GenerateChallengeProducesUniqueChallengesTest: (sensor) => async (device) => {
    const session = await device.session(sensor);
    const seen = new Set();
    for (let number = 0; number < 100; number++) seen.add(BigInt(await session.challenge()) & 0xffffffffn);
    is([seen.size, seen.has(0n)], [100, false]);
    device.forget({ sessions: false });
  },
  RevokeChallengeWorksForNonexistentChallengeTest: (sensor) => (device) => revoked(device, sensor, 123),
  RevokeChallengeWorksForExistentChallengeTest: (sensor) => (device) => revoked(device, sensor),
  EnumerateEnrollmentsWorksTest: answers('enumerate_enrollments', 'ENROLLMENTS_ENUMERATED'),
  RemoveEnrollmentsWorksTest: answers('remove_enrollments', 'ENROLLMENTS_REMOVED', []),
  GetAuthenticatorIdWorksTest: answers('get_authenticator_id', 'AUTHENTICATOR_ID_RETRIEVED 0'),
  InvalidateAuthenticatorIdWorksTest: (sensor) => async (device) => {
    const [told] = await (await device.session(sensor)).call('invalidate_authenticator_id');
    assert.match(told, /^AUTHENTICATOR_ID_INVALIDATED \d+$/);
  },
};

const withoutEnrollment = (sensor) => async (device) => {
  is(await (await device.session(sensor)).call('get_features'), ['ERROR 2 0 match.not_enrolled']);
};

const vts = Object.entries(KINDS).flatMap(([kind, sensor]) => {
  const all = kind === 'face' ? { ...VTS, GetFeaturesWithoutEnrollmentsResultsInUnableToProcess: withoutEnrollment } : VTS;
  return Object.entries(all).map(([name, row]) => [`VTS(${kind}).${name}`, row(sensor)]);
});

export const rows = {
  'SessionTest.close': differs('the end of the pipe is the death of the client: nobody is left to be told onSessionClosed', async (device) => {
    const { number } = await overDeath(device);
    is(number, 1);
  }),

  async 'WorkerThreadTest.ExecutionStopsAfterWorkerIsDestroyed'(device) {
    const { id, ids } = await overDeath(device);
    is(ids, [id]);
  },

  async '6.3 persisted'(device) {
    const { authenticatorId, authenticatorIdAfter } = await overDeath(device);
    assert.notEqual(authenticatorId, 0);
    is(authenticatorIdAfter, authenticatorId);
  },

  async '6.6 the counter survives a restart of the process'(device) {
    const { told } = await overDeath(device);
    is(told.at(-1), 'LOCKOUT_TIMED 30000');
  },

  async 'WorkerThreadTest.ScheduleReturnsTrueWhenQueueHasSpace'(device) {
    const session = await device.session(SENSORS.rear);
    for (let number = 0; number < 100; number++) is(await session.call('revoke_challenge', number), [`CHALLENGE_REVOKED ${number}`]);
  },

  async 'WorkerThreadTest.ScheduleReturnsFalseWhenQueueIsFull'(device) {
    const session = await device.session(SENSORS.rear);
    await session.authenticate();
    for (const method of fifo) is(await session.call(method), []);
    is(device.hello.limits[2], fifo.length);
    is(await session.refused('enumerate_enrollments'), 'session.queue_full');
  },

  async 'WorkerThreadTest.TasksExecuteInOrder'(device) {
    const session = await device.session(SENSORS.rear);
    for (let turn = 0; turn < 3; turn++) {
      const order = [...fifo.slice(turn), ...fifo.slice(0, turn)];
      await session.authenticate();
      for (const method of order) await session.call(method);
      await session.call('cancel', null);
      is(device.events.map(({ name }) => name), ['ERROR', ...order.map((method) => TOLD[method])]);
    }
  },

  ...Object.fromEntries(vts),

  async '6.5 a rejected finger leaves the operation open, a rejected face ends it'(device) {
    for (const sensor of Object.values(KINDS)) {
      const session = await device.session(sensor);
      await session.enroll(PERSON);
      await session.authenticate();
      is((await session.present(PERSON + 1, 1, 0)).at(-1), 'AUTHENTICATION_FAILED');
      is(await session.call('cancel', null), session.face ? [] : [CANCELED]);
    }
  },

  async '6.5 exactly one terminal callback'(device) {
    const session = await device.session(SENSORS.rear);
    const id = await session.enroll(PERSON);
    is(await session.attempt(PERSON, 1, 2), ['ACQUIRED 1 0', `AUTHENTICATION_SUCCEEDED ${id} token`]);
    is(await session.call('cancel', session.operation), []);
    for (const method of fifo) is((await session.call(method), device.events).length, 1);
  },

  async '6.5 cancel tells CANCELED, started or still waiting'(device) {
    const session = await device.session(SENSORS.rear);
    await session.detect();
    const running = session.operation;
    await session.authenticate();
    is(await session.call('cancel', session.operation), [CANCELED]);
    is(await session.call('cancel', running), [CANCELED]);
    is(await session.call('cancel', running), []);
  },

  async '6.5 calls after CLOSED are refused'(device) {
    const session = await device.session(SENSORS.rear);
    is(await session.close(), ['SESSION_CLOSED']);
    for (const [method, ...fields] of [['close'], ['generate_challenge'], ['authenticate', 0, null], ['cancel', null], ['on_ui_ready'], ['enumerate_enrollments']]) {
      is([method, await session.refused(method, ...fields)], [method, 'session.state']);
    }
  },

  async '6.5 a second session is refused'(device) {
    const session = await device.session(SENSORS.rear);
    is(await device.refused('create_session', Buffer.from('alice'), SENSORS.rear), 'session.in_use');
    is(await device.refused('create_session', Buffer.from('alice'), SENSORS.weak), 'session.in_use');
    await (await device.session(SENSORS.face)).close();
    await session.close();
    await device.session(SENSORS.weak);
  },
};
