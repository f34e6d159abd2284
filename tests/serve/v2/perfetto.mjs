// Perfetto's trace engine, a script for a browser's worker, run in Node: node perfetto.mjs FOLDER REQUESTS ANSWERS
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

const host = process;
const [folder, requests, answers] = host.argv.slice(2);
const named = (url) => fs.readFileSync(path.join(folder, path.basename(String(url))));
const fail = (error) => { console.error(String(error?.message ?? error).slice(0, 500)); host.exit(1); };
host.on("uncaughtException", fail);
host.on("unhandledRejection", fail);

// It looks at what it runs in: a worker has these, and no `process`.
Object.defineProperty(globalThis, "process", { value: undefined, configurable: true });
globalThis.self = globalThis;
globalThis.location = { href: "http://worker.invalid/engine_bundle.js" };
globalThis.WorkerGlobalScope = class {};
globalThis.importScripts = () => {};
globalThis.fetch = async (url) => new Response(named(url), { headers: { "content-type": "application/wasm" } });
globalThis.XMLHttpRequest = class {
  open(_method, url) { this.url = url; }
  send() { this.response = new Uint8Array(named(this.url)).buffer; }
};
console.log = console.warn = () => {};

const replies = [];
const sent = fs.readFileSync(requests);
const expected = Number(host.env.REPLIES);
vm.runInThisContext(named("engine_bundle.js").toString("utf8"));
const port = {
  close() {},
  postMessage(bytes) {
    replies.push(Buffer.from(bytes));
    if (replies.length < expected) return;
    fs.writeFileSync(answers, Buffer.concat(replies));
    host.exit(0);
  },
};
self.onmessage({ data: port });
const wait = setInterval(() => {
  try {
    port.onmessage({ data: new Uint8Array(sent) });
    clearInterval(wait);
  } catch (error) {
    if (!String(error?.message).includes("reading 'set'")) fail(error);
  }
}, 200);
setTimeout(() => fail("no answer within 50 s"), 50_000);
