// Rows 8 and 9 of the checklist: Gatekeeper's waits and secure user ids, KeyMint's keys.
import { strict as assert } from 'node:assert';
import { ENUMS, PIN, SENSORS } from './device.mjs';

const PERSON = 31;
const WRONG = Buffer.from('0000');
const MESSAGE = Buffer.from('to be signed');
const NONE = Buffer.alloc(0);
const WAIT_MS = 30_000;
const { HMAC_SHA256 } = ENUMS.KeyAlgorithm;

const is = assert.deepEqual;

// Wrong PINs of a user, and the code of each refusal.
async function guesses(device, name, count) {
  const codes = [];
  for (let number = 0; number < count; number++) codes.push(await device.refused('verify_pin', name, WRONG, 0));
  return codes;
}

async function enrolled(device) {
  const session = await device.session(SENSORS.rear);
  const id = await session.enroll(PERSON);
  return [session, id];
}

async function match(session, operationId) {
  await session.attempt(PERSON, 1, 2, operationId);
  return session.device.events.at(-1).fields.token;
}

const key = (device, { biometricOnly = true, byEnrollment = true, timeoutS = null } = {}) =>
  device.ask('key_create', Buffer.from('alice'), HMAC_SHA256, biometricOnly, byEnrollment, timeoutS);

const begin = async (device, made, token = NONE) => (await device.ask('key_begin', made.key_id, token)).operation;
const finishes = async (device, operation, token) => (await device.ask('key_finish', operation, MESSAGE, token)).signature.length === 32;
const refusesToFinish = async (device, operation, token) => is(await device.refused('key_finish', operation, MESSAGE, token), 'key.not_authenticated');

let story;

// One user's eleven wrong PINs for every row about them, over a reboot in the first wait and a power cut at the tenth.
async function throttled(device) {
  if (story !== undefined) return story;
  const name = await device.user('dan');
  const told = { first: await guesses(device, name, 5), refusedInWait: [] };
  const waiting = async () => told.refusedInWait.push(await device.refused('verify_pin', name, PIN, 0));
  await device.advance(WAIT_MS - 1);
  await waiting();
  told.reboot = await device.reboot();
  await waiting();
  await device.advance(WAIT_MS - 1);
  await waiting();
  await device.advance(1);
  told.sixth = await guesses(device, name, 4);
  await device.set({ storage: 'commit@1: die-after' });
  told.cut = await device.refused('verify_pin', name, WRONG, 0);
  await device.ask('fault_clear', '');
  told.died = device.told;
  device.forget();
  await waiting();
  await device.advance(WAIT_MS);
  told.eleventh = await guesses(device, name, 1);
  await device.advance(WAIT_MS);
  await device.verify('dan', 0);
  story = told;
  return told;
}

const free = (count) => Array(count).fill('pin.wrong');

export const rows = {
  async '6.8 the table of waits'(device) {
    const { first, sixth, eleventh } = await throttled(device);
    is([first, sixth, eleventh], [[...free(4), 'pin.wait'], free(4), ['pin.wait']]);
  },

  async '6.8 a failure is written before the PIN is looked at'(device) {
    const { cut, died, refusedInWait } = await throttled(device);
    is([cut, died, refusedInWait[3]], ['tee.dead', ['RESTARTED 1'], 'pin.wait']);
  },

  async '6.8 a reboot restarts the whole wait, without one more failure'(device) {
    const { reboot, refusedInWait, sixth } = await throttled(device);
    is([reboot, refusedInWait.slice(0, 3), sixth], [['RESTARTED 2'], Array(3).fill('pin.wait'), free(4)]);
  },

  async '6.8 the right PIN keeps the secure user id, none loses it'(device) {
    const name = await device.user('dan');
    const before = device.secureUserId('dan');
    is(await device.refused('set_pin', name, Buffer.from('1234'), WRONG), 'pin.wrong');
    is((await device.ask('set_pin', name, Buffer.from('1234'), PIN)).secure_user_id, before);
    assert.notEqual((await device.ask('set_pin', name, PIN, null)).secure_user_id, before);
  },

  async '6.9 an operation wants its own challenge'(device) {
    const [session] = await enrolled(device);
    const made = await key(device);
    await refusesToFinish(device, await begin(device, made), NONE);
    await refusesToFinish(device, await begin(device, made), await match(session, 4711));
    const operation = await begin(device, made);
    is(await finishes(device, operation, await match(session, operation)), true);
  },

  async '6.9 a timeout ends'(device) {
    const [session] = await enrolled(device);
    const made = await key(device, { timeoutS: 3 });
    const token = await match(session, 1);
    await device.advance(2_999);
    is(await finishes(device, await begin(device, made, token), NONE), true);
    await device.advance(1_001);
    is(await device.refused('key_begin', made.key_id, token), 'key.not_authenticated');
  },

  async '6.9 a PIN is no finger'(device) {
    await enrolled(device);
    const operation = await begin(device, await key(device, { byEnrollment: false }));
    await refusesToFinish(device, operation, await device.verify('alice', operation));
  },

  async '6.9 bound to the user, a PIN or a finger will do'(device) {
    const [session] = await enrolled(device);
    const made = await key(device, { biometricOnly: false, byEnrollment: false });
    is(made.secure_ids, [device.secureUserId()]);
    const first = await begin(device, made);
    is(await finishes(device, first, await device.verify('alice', first)), true);
    const second = await begin(device, made);
    is(await finishes(device, second, await match(session, second)), true);
  },

  async '6.9 bound to the enrollments, their authenticator id will do'(device) {
    const [session] = await enrolled(device);
    const made = await key(device);
    is(made.secure_ids, [await session.authenticatorId()]);
    const operation = await begin(device, made);
    is(await finishes(device, operation, await match(session, operation)), true);
  },

  async '6.9 a new enrollment invalidates'(device) {
    const [session] = await enrolled(device);
    const made = await key(device);
    is((await device.ask('key_verdict', Buffer.from('alice'), made.secure_ids)).usable, true);
    await session.enroll(PERSON, { position: 2 });
    is((await device.ask('key_verdict', Buffer.from('alice'), made.secure_ids)).usable, false);
    const operation = await begin(device, made);
    await refusesToFinish(device, operation, await match(session, operation));
  },

  async '6.9 a deletion does not invalidate'(device) {
    const [session] = await enrolled(device);
    const second = await session.enroll(PERSON, { position: 2 });
    const made = await key(device);
    await session.call('remove_enrollments', [second]);
    is((await device.ask('key_verdict', Buffer.from('alice'), made.secure_ids)).usable, true);
    const operation = await begin(device, made);
    is(await finishes(device, operation, await match(session, operation)), true);
  },
};
