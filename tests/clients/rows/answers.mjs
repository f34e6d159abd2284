// Row 10 of the checklist, over everything that the rows before it were answered: plays last.
import { strict as assert } from 'node:assert';
import { FIELDS, PIN, SENSORS } from './device.mjs';

const PERSON = 51;
const WINDOW = 16;
const MAC = 32;

const is = assert.deepEqual;

// Every byte string and text of a field, however deep.
function* strings(value) {
  if (Array.isArray(value)) for (const one of value) yield* strings(one);
  else if (Buffer.isBuffer(value)) yield value;
  else if (typeof value === 'string') yield Buffer.from(value);
}

function pieces(sample) {
  const found = [];
  for (let at = 0; at + WINDOW <= sample.length; at += WINDOW) found.push(sample.subarray(at, at + WINDOW));
  return found.filter((piece) => new Set(piece).size > 4);
}

async function log(device) {
  const entries = [];
  const { size } = await device.ask('log_head');
  for (let first = 0; first < size; ) {
    const { items } = await device.ask('log_read', first);
    entries.push(...items.map(([, entry]) => entry ?? Buffer.alloc(0)));
    first += items.length;
  }
  return entries;
}

function without(haystack, secrets) {
  for (const secret of secrets) is([haystack.includes(secret), secret.length], [false, secret.length]);
}

// Tokens have their places: the answer to verify_pin, and the event of a match.
const isToken = (bytes) => bytes.length === 69 && bytes[0] === 0;

export const rows = {
  async '6.10 no sample, PIN or key in any answer'(device) {
    const said = [...strings(device.frames)];
    const tokens = said.filter(isToken);
    const rest = Buffer.concat(said.filter((bytes) => !isToken(bytes)));
    assert.ok(device.samples.length > 10 && tokens.length > 20);
    without(rest, device.samples.flatMap(pieces));
    without(rest, tokens.map((token) => token.subarray(-MAC)));
    for (const bytes of said) assert.ok(bytes.length > 400 || !bytes.includes(PIN) || isToken(bytes));
  },

  async '6.10 no score or threshold in any answer'(device) {
    is(FIELDS.filter((name) => /score|threshold|distance|similarity|rate/.test(name)), []);
    const session = await device.session(SENSORS.rear);
    await session.enroll(PERSON);
    const shapes = [];
    for (const impression of [0, 1, 2, 3]) {
      await session.attempt(PERSON, 2, impression);
      shapes.push(device.events.map(({ name, fields }) => [name, Object.values(fields)]));
    }
    is(new Set(shapes.map((shape) => JSON.stringify(shape))).size, 1);
  },

  async '6.10 nothing of them in the log'(device) {
    const entries = await log(device);
    assert.ok(entries.length > 50);
    const all = Buffer.concat(entries);
    without(all, device.samples.flatMap(pieces));
    without(all, [...strings(device.frames)].filter(isToken).map((token) => token.subarray(-MAC)));
  },

  async '6.10 every refusal of a token is the same'(device) {
    const session = await device.session(SENSORS.rear);
    const good = await session.fresh();
    const elsewhere = Buffer.from(good);
    elsewhere.writeBigUInt64LE(1n, 9);
    const old = Buffer.from(good);
    old.writeBigUInt64BE(1n, 29);
    const shown = new Set();
    const told = new Set();
    for (const wrong of [elsewhere, old, Buffer.alloc(69)]) {
      await device.refused('check_token', wrong);
      shown.add(JSON.stringify(device.frames.at(-1)));
    }
    for (const wrong of [Buffer.alloc(0), good.subarray(1), Buffer.concat([good, PIN]), elsewhere, old, Buffer.alloc(69)]) {
      told.add(JSON.stringify([await session.begin({ token: wrong }), await session.reset(wrong)]));
    }
    is([shown.size, told.size], [1, 1]);
  },
};
