// Where BullMQ keeps its jobs, and what each of them does.
const fs = require("node:fs");

const url = process.env.PEERS_REDIS;
const connection = url.startsWith("unix://")
  ? { path: url.slice("unix://".length), maxRetriesPerRequest: null }
  : { url, maxRetriesPerRequest: null };
const file = fs.openSync(process.env.PEERS_RECORD, "a");

// The clock of Date.now is whole milliseconds.
const now = () => (performance.timeOrigin + performance.now()) / 1000;

function record(sent) {
  const entry = Buffer.alloc(16);
  entry.writeDoubleLE(sent, 0);
  entry.writeDoubleLE(now(), 8);
  fs.writeSync(file, entry);
}

module.exports = { connection, now, record };
