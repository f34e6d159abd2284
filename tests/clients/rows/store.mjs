// Row 7 of the checklist: people whose enrollments are looked for, damaged and carried about on the disk.
import { PIN, SENSORS } from './device.mjs';

export const PEOPLE = { alice: [63, [1, 2]], bob: [64, [1]], carol: [66, [1]], dan: [68, [1]] };

export const rows = {};

// Leaves enrollments behind, and says what must not be found on the disk.
export async function end(device) {
  for (const [name, [person, positions]] of Object.entries(PEOPLE)) {
    const session = await device.session(SENSORS.rear, name);
    for (const position of positions) await session.enroll(person, { position });
    await session.close();
  }
  const secrets = device.samples.map((sample) => sample.subarray(8, 40).toString('hex'));
  return { secrets, pin: PIN.toString('hex') };
}
