// Takes orders on its input as submitter.py does.
const fs = require("node:fs");
const readline = require("node:readline");
const { Queue } = require("bullmq");
const { connection, now } = require("./place");

const queue = new Queue("peers", { connection });
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

const BURST_SECONDS = 0.05;

async function submitTogether(count) {
  const sent = now();
  await queue.addBulk(Array.from({ length: count }, () => ({ name: "job", data: { sent } })));
}

async function submitBursts(count, perSecond) {
  const began = now();
  const together = Math.max(1, Math.round(perSecond * BURST_SECONDS));
  for (let submitted = 0; submitted < count; submitted += together) {
    const early = began + submitted / perSecond - now();
    if (early > 0) await sleep(early);
    await submitTogether(Math.min(together, count - submitted));
  }
}

async function obey(order) {
  if (order.do === "prepare") {
    const told = JSON.parse(fs.readFileSync("node_modules/bullmq/package.json"));
    return { version: told.version, bulk: true };
  }
  if (order.do === "left") {
    return queue.getJobCountByTypes("wait", "active", "delayed", "prioritized", "failed");
  }
  if (order.do === "submit") {
    const began = now();
    for (let number = 0; number < order.count; number += 1) {
      const early = order.per_second ? began + number / order.per_second - now() : 0;
      if (early > 0) await sleep(early);
      await queue.add("job", { sent: now() });
    }
    return null;
  }
  if (order.do === "submit_many") {
    for (let begin = 0; begin < order.count; begin += 1000) {
      await submitTogether(Math.min(1000, order.count - begin));
    }
    return null;
  }
  if (order.do === "submit_bursts") {
    await submitBursts(order.count, order.per_second);
    return null;
  }
  throw new Error(`there is no such order: ${JSON.stringify(order)}`);
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const began = performance.now();
    const answer = await obey(JSON.parse(line));
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`${JSON.stringify({ answer, seconds })}\n`);
  }
  await queue.close();
}

main();
