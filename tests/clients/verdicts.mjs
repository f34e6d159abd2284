// Reads bodies (u32 little-endian length, bytes) and prints 1 for each that the client's codec takes, 0 for others.
import { readFileSync } from 'node:fs';
const { Malformed, decode } = await import(process.argv[2]);

const data = readFileSync(0);
let verdicts = '';
for (let at = 0; at < data.length; ) {
  const end = at + 4 + data.readUInt32LE(at);
  try {
    decode(data.subarray(at + 4, end));
    verdicts += '1';
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    verdicts += '0';
  }
  at = end;
}
process.stdout.write(verdicts);
