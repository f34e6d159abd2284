// Row 6 of the checklist on a device whose locks fall through to weaker sensors, as Android's framework has it.
import { strict as assert } from 'node:assert';
import { ENUMS } from './device.mjs';

const PERSON = 41;
const [STRONG, WEAK, CONVENIENCE] = [0, 1, 2];
const { NONE, TIMED } = ENUMS.Lock;

const is = assert.deepEqual;

async function locks(device) {
  const found = [];
  for (const sensor of [STRONG, WEAK, CONVENIENCE]) found.push((await device.lock(sensor)).lock);
  return found;
}

async function locked(device, sensor) {
  const session = await device.session(sensor);
  await session.enroll(PERSON);
  await session.misses(5);
  return session;
}

export const rows = {
  async '6.6 a lock cascades down the strengths'(device) {
    for (const [sensor, expected] of [[STRONG, [TIMED, TIMED, TIMED]], [WEAK, [NONE, TIMED, TIMED]], [CONVENIENCE, [NONE, NONE, TIMED]]]) {
      const session = await locked(device, sensor);
      is([sensor, await locks(device)], [sensor, expected]);
      await device.advance(30_000);
      is(await locks(device), [NONE, NONE, NONE]);
      await session.tidy();
      device.closed(session);
    }
  },

  async '6.6 what clears a lock clears those below'(device) {
    const session = await locked(device, STRONG);
    is(await session.reset(), ['LOCKOUT_CLEARED']);
    is(await locks(device), [NONE, NONE, NONE]);
  },
};
