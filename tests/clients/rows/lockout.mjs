// FakeLockoutTrackerTest of both HALs, and row 6 of the checklist: what locks, for how long, and what ends it.
import { strict as assert } from 'node:assert';
import { ENUMS, PIN, SENSORS, differs } from './device.mjs';

const PERSON = 3;
const TIMED = 'LOCKOUT_TIMED 30000';
const UNABLE = 'ERROR 2 0';
const WAIT_MS = 30_000;
const { NONE, TIMED: FOR_A_WHILE, PERMANENT: FOR_GOOD } = ENUMS.Lock;
const POLICY = 'the numbers are those of the sealed policy, 5 and 30 s and 20';

const is = assert.deepEqual;
const lockOf = async (session) => (await session.device.lock(session.sensor, session.name)).lock;

async function enrolled(device, sensor = SENSORS.rear, name = 'alice', person = PERSON) {
  const session = await device.session(sensor, name);
  await session.enroll(person);
  return session;
}

const stories = new Map();

// One life of a sensor's lockout for every row about it: 20 failed attempts, the waits between them, the PIN.
async function story(device, sensor) {
  if (stories.has(sensor)) return stories.get(sensor);
  const session = await enrolled(device, sensor);
  const told = { fourth: [], fifth: [], locks: [], ends: [], after: [], left: [], checks: [] };
  for (let tier = 0; tier < 4; tier++) {
    told.fourth.push((await session.misses(4)).at(-1));
    told.fifth.push((await session.misses(1)).at(-1));
    told.locks.push(await lockOf(session));
    for (let check = 0; check < 2; check++) told.checks.push((await session.authenticate()).at(-1), await session.call('cancel', null));
    for (let fifth = 0; fifth < 5; fifth++) {
      told.left.push((await device.lock(sensor)).remainingMs);
      told.ends.push(...(await device.advance(WAIT_MS / 5)));
    }
    told.after.push(await lockOf(session));
  }
  await device.advance(86_400_000);
  told.days = await lockOf(session);
  told.reset = await session.reset();
  told.matches = await session.matches(PERSON);
  stories.set(sensor, told);
  return told;
}

const RUNS_DOWN = [30_000, 24_000, 18_000, 12_000, 6_000];

async function cannotBeSwitchedOff(device, sensor) {
  is(await device.refused('fault_set', 'lockout_enable', 'false'), 'fault.no_effect');
  const { fourth, locks } = await story(device, sensor);
  is([fourth[0], locks[0]], ['AUTHENTICATION_FAILED', FOR_A_WHILE]);
}

export const rows = {
  'FakeLockoutTrackerTest(fp).addFailedAttemptDisable': differs('a lockout cannot be switched off', (device) => cannotBeSwitchedOff(device, SENSORS.rear)),

  'FakeLockoutTrackerTest(fp).addFailedAttemptLockoutTimed': differs(POLICY, async (device) => {
    const { fifth, left, after } = await story(device, SENSORS.rear);
    is([fifth[0], left.slice(0, 5), after[0]], [TIMED, RUNS_DOWN, NONE]);
  }),

  'FakeLockoutTrackerTest(fp).addFailedAttemptPermanent': differs(POLICY, async (device) => {
    const { fifth, locks, days } = await story(device, SENSORS.rear);
    is([fifth[3], locks[3], days], ['LOCKOUT_PERMANENT', FOR_GOOD, FOR_GOOD]);
  }),

  'FakeLockoutTrackerTest(face).addFailedAttemptDisable': differs('a lockout cannot be switched off', (device) => cannotBeSwitchedOff(device, SENSORS.face)),

  'FakeLockoutTrackerTest(face).addFailedAttemptPermanent': differs(POLICY, async (device) => {
    const { locks, checks } = await story(device, SENSORS.face);
    is([locks[3], checks.slice(-4)], [FOR_GOOD, ['LOCKOUT_PERMANENT', [], 'LOCKOUT_PERMANENT', []]]);
  }),

  'FakeLockoutTrackerTest(face).addFailedAttemptLockoutTimed': differs(POLICY, async (device) => {
    const { checks, left, after } = await story(device, SENSORS.face);
    is([checks.slice(0, 4), left.slice(0, 5), after[0]], [[TIMED, [], TIMED, []], RUNS_DOWN, NONE]);
  }),

  'FakeLockoutTrackerTest(face).addFailedAttemptLockout_TimedThenPermanent': differs(POLICY, async (device) => {
    const { locks, after } = await story(device, SENSORS.face);
    is(locks, [FOR_A_WHILE, FOR_A_WHILE, FOR_A_WHILE, FOR_GOOD]);
    is(after, [NONE, NONE, NONE, FOR_GOOD]);
  }),

  'FakeLockoutTrackerTest(face).addFailedAttemptLockoutTimedTwice': differs('an attempt while locked neither counts nor begins the wait anew', async (device) => {
    const session = await enrolled(device, SENSORS.face);
    await session.misses(5);
    await device.advance(WAIT_MS / 2);
    is(await session.attempt(PERSON, 0, 2), ['LOCKOUT_TIMED 15000']);
    is(await device.advance(WAIT_MS / 2), ['LOCKOUT_CLEARED']);
    is(await lockOf(session), NONE);
  }),

  async 'FakeLockoutTrackerTest(face).resetLockout'(device) {
    const { days, reset, matches } = await story(device, SENSORS.face);
    is([days, reset, matches], [FOR_GOOD, ['LOCKOUT_CLEARED'], true]);
  },

  async '6.6 five failures lock for 30 s, multiples of five again, twenty for good'(device) {
    const { fourth, fifth, ends } = await story(device, SENSORS.rear);
    is(fourth, Array(4).fill('AUTHENTICATION_FAILED'));
    is(fifth, [TIMED, TIMED, TIMED, 'LOCKOUT_PERMANENT']);
    is(ends, Array(3).fill('LOCKOUT_CLEARED'));
  },

  async '6.6 the counter survives the end of a wait'(device) {
    const { after, locks } = await story(device, SENSORS.rear);
    is([after[2], locks[3]], [NONE, FOR_GOOD]);
  },

  async '6.6 a success zeroes the counter'(device) {
    const session = await enrolled(device);
    await session.misses(4);
    is(await session.matches(PERSON), true);
    await session.misses(4);
    is(await lockOf(session), NONE);
    await session.misses(1);
    is(await lockOf(session), FOR_A_WHILE);
  },

  async '6.6 only good captures that do not match count'(device) {
    const session = await enrolled(device);
    await session.misses(4);
    await device.set({ quality_sequence: '2,4,5' });
    for (const code of [2, 4, 5]) is(await session.attempt(PERSON, 2, 0), [`ACQUIRED ${code} 0`]);
    is(await lockOf(session), NONE);
    await session.misses(1);
    is(await lockOf(session), FOR_A_WHILE);
  },

  async '6.6 detectInteraction never counts'(device) {
    const session = await enrolled(device);
    await session.misses(4);
    for (let number = 0; number < 6; number++) {
      await session.detect();
      is((await session.present(PERSON, 2, 0)).at(-1), 'INTERACTION_DETECTED');
    }
    is(await lockOf(session), NONE);
  },

  async '6.6 attempts while locked do not count'(device) {
    const session = await enrolled(device);
    await session.misses(5);
    for (let number = 0; number < 6; number++) is((await session.attempt(PERSON, 2, 0)).at(-1), TIMED);
    is(await device.advance(WAIT_MS), ['LOCKOUT_CLEARED']);
    is(await session.matches(PERSON), true);
  },

  async '6.6 resetLockout wants a valid recent token'(device) {
    const session = await enrolled(device);
    const finger = (await session.authenticate(7), await session.present(PERSON, 1, 2), device.events.at(-1).fields.token);
    await session.misses(5);
    await device.user('bob');
    const token = await device.token(session);
    const flipped = Buffer.from(token);
    flipped[68] ^= 1;
    for (const wrong of [Buffer.alloc(0), flipped, finger, await device.verify('bob', 0)]) is(await session.reset(wrong), [UNABLE]);
    is(await lockOf(session), FOR_A_WHILE);
    is(await session.reset(await device.verify('alice', 0)), ['LOCKOUT_CLEARED']);
    const old = await device.verify('alice', 0);
    await device.advance(600_001);
    is(await session.reset(old), [UNABLE]);
    is(await session.reset(), ['LOCKOUT_CLEARED']);
  },

  async '6.6 per sensor'(device) {
    const session = await enrolled(device);
    const other = await enrolled(device, SENSORS.face);
    await session.misses(5);
    is(await lockOf(session), FOR_A_WHILE);
    is(await lockOf(other), NONE);
    is(await other.matches(PERSON), true);
    for (const { sensor } of device.sensors.slice(1)) is((await device.lock(sensor)).lock, NONE);
  },

  async '6.6 per user'(device) {
    const session = await enrolled(device);
    await session.misses(5);
    await device.user('bob');
    is((await device.lock(SENSORS.rear, 'bob')).lock, NONE);
    is(await lockOf(session), FOR_A_WHILE);
  },

  async '6.6 a PIN unlock clears all sensors of the user'(device) {
    const session = await enrolled(device);
    await session.misses(5);
    await device.ask('unlock', Buffer.from('alice'), PIN);
    is(await lockOf(session), NONE);
  },
};
