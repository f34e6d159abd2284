// A client of `bioguard serve --stdio --protocol 2` (docs/formats/serve-2.md) for Node, without packages.
//
// `Client.start` starts the server and checks its hello. `call` sends one request and resolves to the fields of its
// answer; events that stand before it go to `onEvent`. Byte strings are Buffers, numbers above 2^53 - 1 BigInts.
// What the server may not send throws Malformed: nothing more can be said to it then. A refusal throws Refused.
import { spawn } from 'node:child_process';

export const VERSION = 2;
const HELLO_FIELDS = 14;
// How many fields each event has, by number; a later server has more events.
const EVENT_FIELDS = [0, 1, 1, 2, 6, 2, 2, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 3, 0, 1, 4];
const MAX_FRAME_BYTES = 1 << 20;
const MAX_DEPTH = 8;
const [ANSWER, REFUSAL, EVENT] = [0, 1, 2];
const [UNSIGNED, BYTES, TEXT, ARRAY] = [0, 2, 3, 4];
const SIMPLE = new Map([[0xf4, false], [0xf5, true], [0xf6, null]]);
// Additional information of a head: bytes of the argument that follow (RFC 8949 section 3).
const WIDTHS = new Map([[24, 1], [25, 2], [26, 4], [27, 8]]);

export const Method = Object.freeze({
  addUser: 1, consent: 4, setPin: 10, verifyPin: 11, createSession: 20, close: 21, cancel: 22, generateChallenge: 23,
  enroll: 25, authenticate: 26, resetLockout: 32, present: 45, checkToken: 55, keyCreate: 60, keyBegin: 61,
  keyFinish: 62, clockAdvance: 81, simulatedSample: 100,
});

export class Malformed extends Error {}

export class Refused extends Error {
  constructor(code, message, hint, exitCode) {
    super(message);
    Object.assign(this, { code, hint, exitCode });
  }
}

function head(major, value) {
  const wide = BigInt(value);
  if (wide < 24n) return Buffer.from([(major << 5) | Number(wide)]);
  const [info, width] = [...WIDTHS].find(([, bytes]) => wide < 1n << BigInt(8 * bytes));
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64BE(wide);
  return Buffer.concat([Buffer.from([(major << 5) | info]), eight.subarray(8 - width)]);
}

// Canonical CBOR of a value.
export function encode(value) {
  for (const [byte, simple] of SIMPLE) if (value === simple) return Buffer.from([byte]);
  if (Array.isArray(value)) return Buffer.concat([head(ARRAY, value.length), ...value.map(encode)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(BYTES, value.length), value]);
  if (typeof value === 'string') return Buffer.concat([head(TEXT, value.length), Buffer.from(value, 'ascii')]);
  return head(UNSIGNED, value);
}

// One item at `at` and the place behind it. RangeError where it runs past the end or is of no type of ours.
function item(body, at, depth) {
  const byte = body.readUInt8(at++);
  const [major, info] = [byte >> 5, byte & 31];
  if (SIMPLE.has(byte)) return [SIMPLE.get(byte), at];
  const width = WIDTHS.get(info) ?? 0;
  if (at + width > body.length) throw new RangeError();
  const argument = width ? BigInt(`0x${body.toString('hex', at, at + width)}`) : BigInt(info);
  at += width;
  if (major === UNSIGNED) return [Number.isSafeInteger(Number(argument)) ? Number(argument) : argument, at];
  if (![BYTES, TEXT].includes(major) && (major !== ARRAY || depth < 1)) throw new RangeError();
  if (argument > BigInt(body.length - at)) throw new RangeError();
  const end = at + Number(argument);
  if (major === BYTES) return [body.subarray(at, end), end];
  if (major === TEXT) return [body.toString('ascii', at, end), end];
  const items = [];
  while (items.length < argument) {
    const [value, behind] = item(body, at, depth - 1);
    items.push(value);
    at = behind;
  }
  return [items, at];
}

// The value of a body; throws Malformed for anything that `encode` would not have written byte for byte.
export function decode(body) {
  try {
    const [value] = item(body, 0, MAX_DEPTH);
    if (encode(value).equals(body)) return value;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new Malformed('frame is not canonical CBOR');
}

const KINDS = {
  number: (value) => ['number', 'bigint'].includes(typeof value),
  bytes: Buffer.isBuffer,
  text: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  array: Array.isArray,
};

// A field as what it must be: a name in KINDS; an array of `size` fields if given.
export function field(value, kind, size = undefined) {
  if (!KINDS[kind](value)) throw new Malformed('a field has another type');
  if (size !== undefined && value.length !== size) throw new Malformed('another number of fields');
  return value;
}

export class Client {
  #child;
  #exit;
  #chunks;
  #ahead = Buffer.alloc(0);
  #onEvent;
  #id = 0;
  #sequence = 0;

  // Start the server; onEvent({ session, timeMs, number, fields }), session 0 is the device.
  static async start([program, ...rest], onEvent) {
    const client = new Client();
    client.#child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    client.#child.on('error', () => {}); // the end of its output says it, as it says what a pipe's error does
    client.#child.stdin.on('error', () => {});
    client.#exit = new Promise((resolve) => client.#child.on('exit', resolve));
    client.#chunks = client.#child.stdout[Symbol.asyncIterator]();
    client.#onEvent = onEvent;
    client.hello = await client.#answer(0, HELLO_FIELDS);
    if (field(client.hello[0], 'number') !== VERSION) throw new Malformed('another protocol version');
    return client;
  }

  // End the server by ending its input; resolves to its exit code.
  close() {
    this.#child.stdin.end();
    return this.#exit;
  }

  async #read(size) {
    while (this.#ahead.length < size) {
      const { value, done } = await this.#chunks.next().catch(() => ({ done: true }));
      if (done) throw new Malformed('the server is gone');
      this.#ahead = Buffer.concat([this.#ahead, value]);
    }
    const data = this.#ahead.subarray(0, size);
    this.#ahead = this.#ahead.subarray(size);
    return data;
  }

  async #frame() {
    const length = await this.#read(4);
    const size = length.readUInt32LE();
    if (size === 0 || size > MAX_FRAME_BYTES) throw new Malformed('frame length is out of bounds');
    return Buffer.concat([length, await this.#read(size)]);
  }

  async #answer(wanted, size) {
    for (;;) {
      const [version, id, kind, body] = field(decode((await this.#frame()).subarray(4)), 'array', 4);
      if (field(version, 'number') !== VERSION) throw new Malformed('another protocol version');
      if (field(kind, 'number') === EVENT) {
        const [sequence, timeMs, number, fields] = field(body, 'array', 4);
        if (field(sequence, 'number') !== ++this.#sequence) throw new Malformed('an event is missing');
        field(timeMs, 'number');
        field(fields, 'array', EVENT_FIELDS[field(number, 'number')]);
        if (number in EVENT_FIELDS) this.#onEvent({ session: field(id, 'number'), timeMs, number, fields });
        continue;
      }
      if (kind !== ANSWER && kind !== REFUSAL) throw new Malformed('no such kind of frame');
      if (field(id, 'number') !== wanted) throw new Malformed('answer to another request');
      if (kind === ANSWER) return field(body, 'array', size);
      const [code, message, hint, exitCode] = field(body, 'array', 4);
      throw new Refused(field(code, 'text'), field(message, 'text'), field(hint, 'text'), field(exitCode, 'number'));
    }
  }

  // Send a request; resolves to the fields of its answer, of which there must be `size`.
  call(method, fields, size = 0) {
    const body = encode([VERSION, ++this.#id, method, fields]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    this.#child.stdin.write(Buffer.concat([length, body]));
    return this.#answer(this.#id, size);
  }

  // Send the recorded requests of a file of frames and compare what comes; throws Malformed at the first difference.
  async replay(data) {
    const counts = { '>': 0, '<': 0 };
    for (let at = 0; at < data.length; ) {
      const way = String.fromCharCode(data[at]);
      const end = at + 5 + data.readUInt32LE(at + 1);
      if (!(way in counts) || end > data.length) throw new Malformed('file of frames is damaged');
      const frame = data.subarray(at + 1, end);
      at = end;
      counts[way]++;
      if (way === '>') {
        this.#child.stdin.write(frame);
        continue;
      }
      if (!(await this.#frame()).equals(frame)) throw new Malformed('a frame differs from the recorded one');
      if (decode(frame.subarray(4))[2] === EVENT) this.#sequence++;
    }
    return counts;
  }
}
