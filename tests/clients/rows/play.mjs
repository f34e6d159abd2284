// Plays groups of rows on one device: node play.mjs DIRECTORY GROUP... A line a row: name, tab, verdict.
// A group's `end` may print one line more, which begins with a tab: what it leaves for whoever looks at the files.
import { Device } from './device.mjs';

const [directory, ...groups] = process.argv.slice(2);

async function verdict(row, device) {
  try {
    await (row.play ?? row)(device);
    return row.differs === undefined ? 'PASS' : `DIFFERS ${row.differs}`;
  } catch (error) {
    const place = /\/rows\/(\w+\.mjs:\d+)/.exec(error.stack)?.[1];
    return `FAIL ${place}: ${error.code ?? ''} ${error.message.replace(/\s+/g, ' ')}`;
  }
}

const device = await Device.start(directory);
for (const group of groups) {
  const { rows, end = async () => undefined } = await import(`./${group}.mjs`);
  for (const [name, row] of Object.entries(rows)) {
    console.log(`${name}\t${await verdict(row, device)}`);
    await device.tidy();
  }
  const left = await end(device);
  if (left !== undefined) console.log(`\t${JSON.stringify(left)}`);
}
process.exitCode = await device.client.close();
