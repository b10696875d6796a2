// One worker process; its argument is how many jobs it runs at once.
const { Worker } = require("bullmq");
const { connection, record } = require("./place");

const worker = new Worker("peers", async (job) => record(job.data.sent), {
  connection,
  concurrency: Number(process.argv[2]),
});
process.on("SIGTERM", () => worker.close().then(() => process.exit(0)));
