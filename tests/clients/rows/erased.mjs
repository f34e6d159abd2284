// Row 7 of the checklist: one user is removed, and every enrollment of the others is erased. Says the digests.
import { PEOPLE } from './store.mjs';

const NO_TOKEN = Buffer.alloc(0);

export const rows = {};

export async function end(device) {
  const [bob, ...others] = ['bob', ...Object.keys(PEOPLE).filter((name) => name !== 'bob')];
  const removed = await device.ask('remove_user', Buffer.from(bob), NO_TOKEN, true);
  const digests = { bob: removed.digests.map((one) => one.toString('hex')) };
  const remaining = await device.refused('records', Buffer.from(bob));
  for (const name of others) {
    digests[name] = [];
    const { records } = await device.ask('records', Buffer.from(name));
    for (const [recordId] of records) {
      const { digest } = await device.ask('erase', Buffer.from(name), recordId, NO_TOKEN, true);
      digests[name].push(digest.toString('hex'));
    }
  }
  return { digests, remaining };
}
