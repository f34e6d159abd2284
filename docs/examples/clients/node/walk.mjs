// One walk through a device from a fresh one to its closed sessions: `node walk.mjs DIR [FRAMES]`.
//
// With FRAMES (`bioguard scenario frames`) it first repeats a recorded scenario and compares every frame.
import { readFileSync } from 'node:fs';
import { Client, Malformed, Method, Refused, field } from './bioguard2.mjs';

const [name, pin, none] = ['user-10', '4711', ''].map((text) => Buffer.from(text));
const [FINGERPRINT, FACE] = [1, 2];
const [UNLOCK, KEY_USE] = [1, 2];
const [HMAC_SHA256, BIOMETRIC] = [128, 2];
const CALLBACKS = [
  '', 'onChallengeGenerated', 'onChallengeRevoked', 'onAcquired', 'onEnrollmentFrame', 'onEnrollmentProgress',
  'onAuthenticationSucceeded', 'onAuthenticationFailed', 'onLockoutTimed', 'onLockoutPermanent', 'onLockoutCleared',
  'onInteractionDetected', 'onEnrollmentsEnumerated', 'onEnrollmentsRemoved', 'onAuthenticatorIdRetrieved',
  'onAuthenticatorIdInvalidated', 'onFeaturesRetrieved', 'onFeatureSet', 'onError', 'onSessionClosed', 'restarted',
  'onAuthenticationFrame',
];

let client;
let session;
let user;
const seen = new Map(); // callback -> its last fields

// A value of a callback; what is in a byte string is nobody's business.
function shown(value) {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return Buffer.isBuffer(value) ? `${value.length} bytes` : String(value);
}

function onEvent({ number, fields }) {
  seen.set(CALLBACKS[number], fields);
  console.log(`  ${CALLBACKS[number]}(${fields.map(shown).join(', ')})`);
}

// A field of a callback that must have come.
function came(callback, place) {
  if (!seen.has(callback)) throw new Malformed(`${callback} did not come`);
  return seen.get(callback)[place];
}

// A call with one field in its answer.
const ask = async (method, ...fields) => (await client.call(method, fields, 1))[0];

// Starts an operation of the session, after a line that names it; resolves to its number.
function begin(method, ...fields) {
  console.log(method);
  return ask(Method[method], session, ...fields);
}

const pinToken = (challenge) => ask(Method.verifyPin, name, pin, challenge);

async function present(person, position, impression) {
  const [form, sample] = await client.call(Method.simulatedSample, [person, position, impression], 2);
  await client.call(Method.present, [session, form, sample, null]);
}

async function open(sensor) {
  console.log(`createSession ${sensor}`);
  session = await ask(Method.createSession, name, sensor);
}

async function cancel(operation) {
  console.log('cancel');
  await client.call(Method.cancel, [session, operation]);
}

async function enroll(position, options) {
  await begin('generateChallenge');
  const token = await pinToken(came('onChallengeGenerated', 0));
  await begin('enroll', token, null, 0, null, options);
  seen.set('onEnrollmentProgress', [0, 1]);
  for (let impression = 0; impression < 16 && came('onEnrollmentProgress', 1) !== 0; impression++) {
    await present(1, position, impression);
  }
}

// Authenticates for an operation; resolves to the token, checked.
async function authenticate(operationId, position) {
  await begin('authenticate', operationId, null);
  await present(1, position, 20);
  const token = field(came('onAuthenticationSucceeded', 1), 'bytes');
  const [challenge, owner, authenticator, type] = await client.call(Method.checkToken, [token], 5);
  const ours = challenge === operationId && owner === user && authenticator && type === BIOMETRIC;
  if (!ours) throw new Malformed('another token');
  console.log('token is genuine');
  return token;
}

// Touches with a wrong finger until that is over for good; what is locked for a time is waited out.
async function lockOut() {
  while (!seen.has('onLockoutPermanent')) {
    seen.delete('onLockoutTimed');
    const operation = await begin('authenticate', 0, null);
    for (let impression = 0; impression < 5; impression++) await present(2, 1, impression);
    await cancel(operation);
    if (!seen.has('onLockoutTimed')) continue;
    console.log('clock advances');
    await client.call(Method.clockAdvance, seen.get('onLockoutTimed'), 3);
  }
}

async function useKey() {
  const [key] = await client.call(Method.keyCreate, [name, HMAC_SHA256, true, true, null], 3);
  const message = Buffer.from('message');
  try {
    await ask(Method.keyFinish, await ask(Method.keyBegin, key, none), message, none);
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    console.log(`key without a token: ${refusal.code}`);
  }
  const operation = await ask(Method.keyBegin, key, none);
  const token = await authenticate(operation, 1);
  console.log(`signature: ${shown(await ask(Method.keyFinish, operation, message, token))}`);
}

async function walk(directory, frames) {
  client = await Client.start(['bioguard', '--device', directory, 'serve', '--stdio', '--protocol', '2'], onEvent);
  console.log(`hello ${client.hello[0]}`);
  if (frames) {
    const counts = await client.replay(readFileSync(frames));
    console.log(`replayed ${counts['>']} requests, ${counts['<']} frames as recorded`);
  }
  await client.call(Method.addUser, [name]);
  for (const modality of [FINGERPRINT, FACE]) {
    await client.call(Method.consent, [name, modality, [UNLOCK, KEY_USE], 365, true, none]);
  }
  user = await ask(Method.setPin, name, pin, null);
  await open(0);
  await enroll(1, null);
  await authenticate(77, 1);
  await lockOut();
  await begin('resetLockout', await pinToken(0));
  await useKey();
  await cancel(await begin('authenticate', 0, null));
  await client.call(Method.close, [session]);
  await open(1);
  await enroll(0, [0, [], false]);
  await authenticate(78, 0);
  await client.call(Method.close, [session]);
  console.log(`exit code ${await client.close()}`);
}

try {
  await walk(...process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Malformed || error instanceof Refused)) throw error;
  console.error(`client: ${error instanceof Refused ? `refused: ${error.code}: ` : ''}${error.message}`);
  process.exit(1);
}
