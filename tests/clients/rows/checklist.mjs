// Rows 1 to 4 of the checklist: tokens, what an enrollment wants, authenticator ids.
import { strict as assert } from 'node:assert';
import { SENSORS } from './device.mjs';

const PERSON = 21;
const UNABLE = 'ERROR 2 0';
const CHALLENGE_MS = 600_000;
const [SIZE, SIGNED] = [69, 37];

const is = assert.deepEqual;
const rear = (device) => device.session(SENSORS.rear);
const flipped = (token, bit) => {
  const copy = Buffer.from(token);
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
};

async function matched(device, sensor, operationId) {
  const session = await device.session(sensor);
  await session.enroll(PERSON);
  await session.attempt(PERSON, 1, 2, operationId);
  return [session, device.events.at(-1).fields.token];
}

// An enrollment that ends before anything is captured and leaves nothing.
async function denied(session, token) {
  const { device } = session;
  const before = [await session.ids(), await session.authenticatorId()];
  is(await session.begin({ token }), [UNABLE]);
  is(await session.refused('present', 0, (await device.sample(PERSON, 1, 0)).sample, null), 'session.state');
  is([await session.ids(), await session.authenticatorId()], before);
}

// A challenge of another session, with alice's PIN over it.
async function foreign(device, sensor, name) {
  const session = await device.session(sensor, name);
  const challenge = await session.challenge();
  await session.close();
  return device.verify('alice', challenge);
}

export const rows = {
  async '6.1 69 bytes, 37 of them signed, mixed byte order'(device) {
    const [session, token] = await matched(device, SENSORS.rear, 0x1122334455667788n);
    const now = device.events.at(-1).timeMs;
    is([token.length, token.length - SIGNED], [SIZE, 32]);
    is(token[0], 0);
    is(token.readBigUInt64LE(1), 0x1122334455667788n);
    is(token.readBigUInt64LE(9), BigInt(device.secureUserId()));
    is(token.readBigUInt64LE(17), BigInt(await session.authenticatorId()));
    is(token.readUInt32BE(25), 2);
    is(token.readBigUInt64BE(29), BigInt(now));
  },

  async '6.1 any flipped bit is refused'(device) {
    const [, token] = await matched(device, SENSORS.rear, 1);
    await device.ask('check_token', token);
    for (let bit = 0; bit < 8 * SIZE; bit++) {
      is([bit, await device.refused('check_token', flipped(token, bit))], [bit, bit < 8 ? 'token.malformed' : 'token.rejected']);
    }
  },

  async '6.1 any other size or version is refused'(device) {
    const [, token] = await matched(device, SENSORS.rear, 1);
    const longer = (size) => Buffer.concat([token, Buffer.alloc(size - SIZE)]);
    const version = (number) => Buffer.concat([Buffer.from([number]), token.subarray(1)]);
    const others = [token.subarray(0, 0), token.subarray(0, 1), token.subarray(1), longer(SIZE + 1), longer(256), version(1), version(255)];
    for (const other of others) is(await device.refused('check_token', other), 'token.malformed');
  },

  async '6.2 a bad MAC'(device) {
    const session = await rear(device);
    await denied(session, flipped(await device.token(session), 8 * SIGNED));
  },

  async '6.2 an unknown challenge'(device) {
    await denied(await rear(device), await device.verify('alice', 4711));
  },

  async '6.2 an expired challenge'(device) {
    const session = await rear(device);
    const challenge = await session.challenge();
    await device.advance(CHALLENGE_MS);
    await denied(session, await device.verify('alice', challenge));
  },

  async '6.2 a revoked challenge'(device) {
    const session = await rear(device);
    const token = await session.fresh();
    await session.call('revoke_challenge', token.readBigUInt64LE(1));
    await denied(session, token);
  },

  async '6.2 a challenge of another user'(device) {
    const token = await foreign(device, SENSORS.rear, 'bob');
    await denied(await rear(device), token);
  },

  async '6.2 a challenge of another sensor'(device) {
    const token = await foreign(device, SENSORS.lit, 'alice');
    await denied(await rear(device), token);
  },

  async '6.2 several challenges live at once'(device) {
    const session = await rear(device);
    const tokens = [await device.token(session), await session.fresh()];
    for (const [index, token] of tokens.entries()) await session.enroll(PERSON, { token, position: index + 1 });
    is((await session.ids()).length, 2);
  },

  async '6.2 one challenge serves several enrollments until it is revoked'(device) {
    const session = await rear(device);
    const token = await session.fresh();
    for (const position of [1, 2]) await session.enroll(PERSON, { token, position });
    await session.call('revoke_challenge', token.readBigUInt64LE(1));
    await denied(session, token);
  },

  async '6.3 zero while nothing is enrolled'(device) {
    is(await (await rear(device)).authenticatorId(), 0);
  },

  async '6.3 changes with an enrollment, before its last callback'(device) {
    const session = await rear(device);
    await session.enroll(PERSON);
    const before = await session.authenticatorId();
    await session.begin({ position: 2, touches: 1 });
    await session.call('get_authenticator_id');
    await session.present(PERSON, 2, 0);
    is(device.events.map(({ name }) => name).slice(-2), ['ENROLLMENT_PROGRESS', 'AUTHENTICATOR_ID_RETRIEVED']);
    assert.notEqual(device.events.at(-1).fields.authenticator_id, before);
  },

  async '6.3 stable when one of several is removed'(device) {
    const session = await rear(device);
    const first = await session.enroll(PERSON);
    await session.enroll(PERSON, { position: 2 });
    const before = await session.authenticatorId();
    await session.call('remove_enrollments', [first]);
    is(await session.authenticatorId(), before);
  },

  async '6.3 zero when the last is removed'(device) {
    const session = await rear(device);
    await session.call('remove_enrollments', [await session.enroll(PERSON)]);
    is(await session.authenticatorId(), 0);
  },

  async '6.3 random'(device) {
    const session = await rear(device);
    const seen = [];
    for (let number = 0; number < 4; number++) {
      seen.push(BigInt(await session.enroll(PERSON, { position: number + 1 }).then(() => session.authenticatorId())));
    }
    const steps = seen.slice(1).map((id, index) => id - seen[index]);
    is(new Set(seen).size, 4);
    assert.ok(steps.every((step) => step > 1n << 32n || step < -(1n << 32n)));
    is(new Set(steps).size, 3);
  },

  async '6.3 invalidate rotates it'(device) {
    const session = await rear(device);
    await session.enroll(PERSON);
    const before = await session.authenticatorId();
    const [told] = await session.call('invalidate_authenticator_id');
    const after = await session.authenticatorId();
    is(told, `AUTHENTICATOR_ID_INVALIDATED ${after}`);
    assert.ok(![0, before].includes(after));
  },

  async '6.3 zero for weaker classes'(device) {
    for (const sensor of [SENSORS.weak, SENSORS.convenience]) {
      const session = await device.session(sensor);
      await session.enroll(PERSON);
      is(await session.authenticatorId(), 0);
      is(await session.call('invalidate_authenticator_id'), ['AUTHENTICATOR_ID_INVALIDATED 0']);
      await session.tidy();
      device.closed(session);
    }
  },

  async '6.4 a strong success carries operation id, authenticator id, type 2 and the user'(device) {
    for (const sensor of [SENSORS.rear, SENSORS.face]) {
      const [session, token] = await matched(device, sensor, 4711);
      is(await device.ask('check_token', token), {
        challenge: 4711,
        user_id: device.secureUserId(),
        authenticator_id: await session.authenticatorId(),
        authenticator_type: 2,
        timestamp_ms: await device.now(),
      });
    }
  },

  async '6.4 a weaker success carries no token'(device) {
    for (const sensor of [SENSORS.weak, SENSORS.convenience, SENSORS.infrared]) {
      const [session, token] = await matched(device, sensor, 0);
      is(device.events.at(-1).name, 'AUTHENTICATION_SUCCEEDED');
      is(token, null);
      await session.tidy();
      device.closed(session);
    }
  },
};
