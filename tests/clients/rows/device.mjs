// A device behind the pipe, spoken to with nothing but the client of docs/examples/clients/node and the page
// docs/formats/serve-2.md: methods, events and numbers are read from its tables.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { Client, Refused } from '../../../docs/examples/clients/node/bioguard2.mjs';

const PAGE = readFileSync(new URL('../../../docs/formats/serve-2.md', import.meta.url), 'utf8');

function table(mark) {
  const text = PAGE.split(`<!-- generated: ${mark} -->`)[1].split('<!-- end -->')[0];
  return text.trim().split('\n').slice(2).map((line) => line.slice(2, -2).split(' | '));
}

const names = (fields) => (fields === 'none' ? [] : fields.split('; ').map((one) => one.split(':')[0]));
const named = (fields, values) => Object.fromEntries(fields.map((name, index) => [name, values[index]]));
const METHODS = new Map(table('methods-2').map(([number, name, , answer]) => [name, { number: Number(number), answer: names(answer) }]));
const EVENTS = new Map(table('events-2').map(([number, name, fields]) => [Number(number), { name, fields: names(fields) }]));
const RECORDS = new Map(table('records-2').map(([name, fields]) => [name, names(fields)]));
const numbers = (list) => list.split(', ').map((one) => one.split(' ')).map(([number, name]) => [name, Number(number)]);

export const ENUMS = Object.fromEntries(table('enums-2').map(([name, list]) => [name, Object.fromEntries(numbers(list))]));
export const FIELDS = [...EVENTS.values(), ...[...METHODS.values()].map(({ answer }) => ({ fields: answer }))].flatMap(({ fields }) => fields);
export const record = (name, values) => named(RECORDS.get(name), values);
export const PIN = Buffer.from('4711');
export const SENSORS = { rear: 0, face: 1, display: 2, lit: 3, weak: 4, infrared: 5, convenience: 6 };
const OVER = ['session.state', 'session.dead'];
const STRAIGHT_POINTER = [0, 100, 200, 4, 5, 0, false, 0, 0];
const OLDEST_TOKEN_MS = 480_000; // challenges and tokens live for 600 s

// An event as one line: a token is only said to be there.
function words({ name, fields }) {
  const shown = Object.values(fields).map((value) => (value === null ? '-' : Buffer.isBuffer(value) ? 'token' : `${value}`));
  return [name, ...shown].join(' ').trimEnd();
}

export class Device {
  events = [];
  frames = [];
  #tokens = [];
  #samples = new Map();
  #users = new Map();
  #open = new Set();
  #passedMs = 0;
  #turned = false;

  static async start(directory) {
    const device = new Device();
    device.directory = directory;
    await device.#connect();
    return device;
  }

  async #connect() {
    this.client = await Client.start(['bioguard', '--device', this.directory, 'serve', '--stdio', '--protocol', '2'], (event) => {
      const { name, fields } = EVENTS.get(event.number);
      this.frames.push(event.fields);
      this.events.push({ ...event, name, fields: named(fields, event.fields) });
    });
    this.hello = named(METHODS.get('hello').answer, this.client.hello);
    this.sensors = this.hello.sensors.map((values) => record('Sensor', values));
  }

  // End the server without a word and start it again; resolves to the exit code of the old one.
  async restart() {
    const code = await this.client.close();
    this.#open.clear();
    await this.#connect();
    return code;
  }

  // The answer's fields by name; the events before it are in `events`.
  async ask(method, ...fields) {
    const { number, answer } = METHODS.get(method);
    this.events = [];
    const values = await this.client.call(number, fields, answer.length);
    if (method !== 'simulated_sample') this.frames.push(values);
    return named(answer, values);
  }

  get told() {
    return this.events.map(words);
  }

  // The code of a refusal that must come.
  async refused(method, ...fields) {
    try {
      await this.ask(method, ...fields);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.frames.push([error.code, error.message, error.hint]);
      return error.code;
    }
    return assert.fail(`${method} was not refused`);
  }

  // A person who consents to everything and has a PIN; made once.
  async user(name = 'alice') {
    const bytes = Buffer.from(name);
    if (!this.#users.has(name)) {
      await this.ask('add_user', bytes);
      for (const modality of Object.values(ENUMS.Modality)) await this.ask('consent', bytes, modality, [1, 2, 3], 365, true, Buffer.alloc(0));
      this.#users.set(name, (await this.ask('set_pin', bytes, PIN, null)).secure_user_id);
    }
    return bytes;
  }

  secureUserId(name = 'alice') {
    return this.#users.get(name);
  }

  async session(sensor, name = 'alice') {
    const bytes = await this.user(name);
    const { session } = await this.ask('create_session', bytes, sensor);
    const made = new Session(this, session, sensor, name);
    this.#open.add(made);
    return made;
  }

  // A token of the PIN over a live challenge of the session's sensor: one serves several enrollments.
  async token(session) {
    const kept = this.#kept((one) => one.name === session.name && one.sensor === session.sensor);
    if (kept !== undefined) return kept;
    const token = await session.fresh();
    this.#tokens.push({ name: session.name, sensor: session.sensor, token, at: this.#passedMs });
    return token;
  }

  // One over any challenge: enough for a reset.
  async pinToken(name) {
    return this.#kept((one) => one.name === name) ?? this.verify(name, 0);
  }

  #kept(wanted) {
    return this.#tokens.find((one) => wanted(one) && this.#passedMs - one.at < OLDEST_TOKEN_MS)?.token;
  }

  async verify(name, challenge, pin = PIN) {
    return (await this.ask('verify_pin', Buffer.from(name), pin, challenge)).token;
  }

  async sample(person, position, impression) {
    const key = `${person} ${position} ${impression}`;
    if (!this.#samples.has(key)) this.#samples.set(key, await this.ask('simulated_sample', person, position, impression));
    return this.#samples.get(key);
  }

  get samples() {
    return [...this.#samples.values()].map(({ sample }) => sample);
  }

  async advance(ms) {
    this.#passedMs += ms;
    await this.ask('clock_advance', ms);
    return this.told;
  }

  async now() {
    return (await this.ask('clock_show')).boot_ms;
  }

  async reboot() {
    this.forget();
    await this.ask('reboot');
    return this.told;
  }

  // Tokens and challenges that are over; sessions that died.
  forget({ sessions = true } = {}) {
    this.#tokens = [];
    if (sessions) this.#open.clear();
  }

  faults() {
    return this.ask('faults').then(({ changed }) => Object.fromEntries(changed));
  }

  async set(knobs) {
    for (const [name, value] of Object.entries(knobs)) {
      await this.ask('fault_set', name, value);
      this.#turned = true;
    }
  }

  async lock(sensor, name = 'alice') {
    const { lock, remaining_ms: remainingMs } = await this.ask('lock_status', Buffer.from(name), sensor);
    return { lock, remainingMs };
  }

  // Leave nothing of a row behind: faults, sessions, locks, enrollments.
  async tidy() {
    if (this.#turned) await this.ask('fault_clear', '');
    this.#turned = false;
    for (const session of this.#open) {
      await session.tidy().catch((error) => {
        if (!OVER.includes(error.code)) throw error; // a row that failed has closed it
      });
    }
    this.#open.clear();
  }

  closed(session) {
    this.#open.delete(session);
  }
}

export class Session {
  constructor(device, number, sensor, name) {
    Object.assign(this, { device, number, sensor, name });
    this.face = device.sensors[sensor].modality === ENUMS.Modality.FACE;
  }

  // One call of the session; resolves to what was told meanwhile.
  async call(method, ...fields) {
    const answer = await this.device.ask(method, this.number, ...fields);
    if (answer.operation !== undefined) this.operation = answer.operation;
    return this.device.told;
  }

  refused(method, ...fields) {
    return this.device.refused(method, this.number, ...fields);
  }

  async challenge() {
    await this.call('generate_challenge');
    return this.device.events[0].fields.challenge;
  }

  async fresh() {
    return this.device.verify(this.name, await this.challenge());
  }

  async begin({ token = undefined, touches = 2, position = 0, options = null } = {}) {
    return this.call('enroll', token ?? (await this.device.token(this)), touches, position, null, options);
  }

  async present(person, position, impression, pose = null) {
    const { form, sample } = await this.device.sample(person, this.face ? 0 : position, impression);
    return this.call('present', form, sample, pose);
  }

  // A whole enrollment of somebody's finger, or face; resolves to its id.
  async enroll(person, { position = 1, ...rest } = {}) {
    const told = await this.begin({ position: this.face ? 0 : position, ...rest });
    assert.deepEqual(told, []);
    for (let impression = 0; impression < 2; impression++) await this.present(person, position, impression);
    assert.match(this.device.told.at(-1), /^ENROLLMENT_PROGRESS \d+ 0$/);
    return this.device.events.at(-1).fields.enrollment_id;
  }

  authenticate(operationId = 0) {
    return this.call('authenticate', operationId, null);
  }

  detect() {
    return this.call('detect_interaction', null);
  }

  // An attempt from the call to its last event, or to a rejected finger, which is canceled.
  async attempt(person, position, impression, operationId = 0) {
    const refusal = await this.authenticate(operationId);
    if (refusal.length > 0 && this.face) return refusal;
    const told = [...refusal, ...(await this.present(person, position, impression))];
    this.missed ||= told.at(-1) === 'AUTHENTICATION_FAILED';
    if (told.at(-1).startsWith('AUTHENTICATION_SUCCEEDED') || this.face) return told;
    const seen = this.device.events;
    await this.call('cancel', null);
    this.device.events = seen;
    return told;
  }

  async matches(person, position = 1, impression = 2) {
    return (await this.attempt(person, position, impression)).at(-1).startsWith('AUTHENTICATION_SUCCEEDED');
  }

  // Attempts of a stranger: with a finger in one operation, with a face each in its own; the events of the last one.
  async misses(count) {
    this.missed = true;
    let told = [];
    for (let number = 0; number < count; number++) {
      if (number === 0 || this.face) await this.authenticate();
      told = await this.present(STRANGER, 1, 0);
    }
    if (!this.face) await this.call('cancel', null);
    return told;
  }

  async ids() {
    await this.call('enumerate_enrollments');
    return this.device.events[0].fields.ids;
  }

  async authenticatorId() {
    await this.call('get_authenticator_id');
    return this.device.events[0].fields.authenticator_id;
  }

  async reset(token) {
    return this.call('reset_lockout', token ?? (await this.device.pinToken(this.name)));
  }

  down() {
    return this.call('on_pointer_down', STRAIGHT_POINTER);
  }

  async close() {
    const told = await this.call('close');
    this.device.closed(this);
    return told;
  }

  async tidy() {
    while ((await this.call('cancel', null)).length > 0);
    const ids = await this.ids();
    if (ids.length > 0) await this.call('remove_enrollments', ids);
    if (this.missed) await this.reset();
    await this.call('close');
  }
}

export const STRANGER = 999;
// A row that a real device cannot hold as it is written; `play` shows what the device does instead.
export const differs = (reason, play) => ({ differs: reason, play });
