// Row 7 of the checklist on a damaged disk: each enrolled finger, and what an attempt with it comes to.
import { Refused } from '../../../docs/examples/clients/node/bioguard2.mjs';
import { SENSORS } from './device.mjs';
import { PEOPLE } from './store.mjs';

export const rows = {};

export async function end(device) {
  const came = {};
  for (const [name, [person, [position]]] of Object.entries(PEOPLE)) {
    try {
      const { session } = await device.ask('create_session', Buffer.from(name), SENSORS.rear);
      await device.ask('authenticate', session, 0, null);
      const { form, sample } = await device.sample(person, position, 2);
      await device.ask('present', session, form, sample, null);
      came[name] = device.told.at(-1);
      await device.ask('cancel', session, null);
      await device.ask('close', session);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      came[name] = error.code;
    }
  }
  return came;
}
