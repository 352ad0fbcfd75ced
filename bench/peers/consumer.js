// A user's program around sqs-consumer that starts a process for each message: the least that one would write.
import { spawn } from "node:child_process";
import { Consumer } from "sqs-consumer";

const [queueUrl, command, ...args] = process.argv.slice(2);

const run = (message) =>
  new Promise((resolve, reject) => {
    spawn(command, args, { stdio: "ignore", env: { ...process.env, Message: message.Body } })
      .on("error", reject)
      .on("exit", (code) => (code === 0 ? resolve(message) : reject(new Error(`exit code ${code}`))));
  });

const consumer = Consumer.create({
  queueUrl,
  batchSize: 10,
  waitTimeSeconds: 20,
  handleMessageBatch: (messages) => Promise.all(messages.map(run)),
});
consumer.on("error", (error) => console.error(error));
consumer.on("processing_error", (error) => console.error(error));
consumer.start();
