// Counts the words of a library's Python files: the message's subject says which step of the job this is.
// Every step may be done again, or twice at once: it writes the same file, beside the others and then into place.
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LEFT_OUT = new Set(["site-packages", "dist-packages", "test", "tests"]);
const REJECTED = 3;

// Notes which files there are, and has them counted; a retry takes the list as it was, for the same parts.
function start({ library, files_per_part: each }) {
  const job = process.env.MessageId;
  if (!existsSync(join(folder(job), "files"))) {
    write(job, "files", [...libraryFiles(library)].sort());
  }
  const total = lines(job, "files").length;
  const parts = [];
  for (let first = 1; first <= total; first += each) {
    parts.push(JSON.stringify({ first, last: Math.min(first + each - 1, total) }));
  }
  const metadata = JSON.stringify({ parts: parts.length });
  progress(["map-reduce", job, "-t", String(parts.length), "-m", metadata], parts.join("\n"));
}

// Counts the words of one part's files; a file that is gone fails the job.
function count({ jobid: job, partid: part, first, last }) {
  const files = lines(job, "files").slice(first - 1, last);
  const gone = files.find((file) => !existsSync(file));
  if (gone !== undefined) {
    progress(["fail-job", job, "-r", `part ${part}: there is no ${gone}`]);
    process.exit(REJECTED);
  }
  const counts = new Map();
  for (const file of files) {
    // A byte is a character here, so that letters are those of ASCII.
    for (const word of readFileSync(file, "latin1").match(/[A-Za-z]+/g) ?? []) {
      add(counts, word.toLowerCase(), 1);
    }
  }
  write(job, `part-${part}`, ranked(counts));
  console.log(`part ${part} is counted`);
  progress(["complete-part", job, "-p", String(part), "--reduce"]);
}

// Puts the counts of all parts together; without one of them the sum would be wrong.
function addUp({ jobid: job, metadata }) {
  const parts = Array.from({ length: metadata.parts }, (_, index) => `part-${index + 1}`);
  const lost = parts.filter((part) => !existsSync(join(folder(job), part)));
  if (lost.length > 0) {
    throw new Error(`the counts of ${lost.join(", ")} are lost`);
  }
  console.log("all parts are counted");
  const totals = new Map();
  for (const part of parts) {
    for (const line of lines(job, part)) {
      const [times, word] = line.split(" ");
      add(totals, word, Number(times));
    }
  }
  write(job, "words", ranked(totals));
}

function* libraryFiles(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) {
      yield* libraryFiles(path);
    } else if (entry.isFile() && entry.name.endsWith(".py")) {
      yield path;
    }
  }
}

function add(counts, word, times) {
  counts.set(word, (counts.get(word) ?? 0) + times);
}

function ranked(counts) {
  const most = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return most.map(([word, times]) => `${times} ${word}`);
}

function folder(job) {
  const path = join(process.env.RESULTS, job);
  mkdirSync(path, { recursive: true });
  return path;
}

function lines(job, name) {
  return readFileSync(join(folder(job), name), "utf8").split("\n").slice(0, -1);
}

function write(job, name, texts) {
  const unfinished = join(folder(job), `.${randomUUID()}`);
  writeFileSync(unfinished, texts.map((text) => `${text}\n`).join(""));
  renameSync(unfinished, join(folder(job), name));
}

function progress(commandLine, input = "") {
  execFileSync("watchbot-progress", commandLine, { input, stdio: ["pipe", "inherit", "inherit"] });
}

const step = { "start-job": start, map: count, reduce: addUp }[process.env.Subject];
step(JSON.parse(process.env.Message));
