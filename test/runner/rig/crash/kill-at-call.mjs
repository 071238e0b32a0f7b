// Loaded before the runner (node --import): kills it at its n-th call that changes the file system, so that every place in its work can be
// hit. KILL_AT is `<n>:before`, `<n>:after` or `<n>:half`, which writes half of the content first; KILL_COUNT names a file for the number
// of calls of a run that was not killed.

import nodeFs, { readFileSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import process from 'node:process';

const [at, moment] = (process.env.KILL_AT ?? '0:before').split(':');
let calls = 0;

function die() {
  process.kill(process.pid, 'SIGKILL');
}

function isNow() {
  calls += 1;
  return calls === Number(at);
}

const halve = (content) => content.slice(0, Math.floor(content.length / 2));

async function doubtful(call, write) {
  if (!isNow()) return call();
  if (moment === 'before') die();
  if (moment === 'half' && write !== undefined) await write();
  else await call();
  die();
  // The signal comes a moment later, and nothing may happen until then.
  await new Promise(() => setInterval(() => {}, 1000));
}

const { writeFile } = fs;

/** What a call has done when it is killed midway, where that is more than nothing and less than all. */
const halves = {
  writeFile: (file, content, ...rest) => writeFile(file, halve(content), ...rest),
  copyFile: (from, to) => writeFile(to, halve(readFileSync(from))),
};

for (const name of [
  'rename',
  'rm',
  'mkdir',
  'rmdir',
  'chmod',
  'copyFile',
  'link',
  'utimes',
  'writeFile',
  'cp',
]) {
  const original = fs[name];
  fs[name] = (...words) =>
    doubtful(() => original(...words), halves[name] === undefined ? undefined : () => halves[name](...words));
}

function doubtfulNow(call, write) {
  if (!isNow()) return call();
  if (moment === 'before') die();
  if (moment === 'half' && write !== undefined) write();
  else call();
  die();
  for (;;);
}

for (const name of ['linkSync', 'mkdirSync', 'renameSync', 'unlinkSync', 'writeFileSync']) {
  const original = nodeFs[name];
  const half = (file, content, ...rest) => original(file, halve(content), ...rest);
  nodeFs[name] = (...words) =>
    doubtfulNow(() => original(...words), name === 'writeFileSync' ? () => half(...words) : undefined);
}

const open = fs.open;
fs.open = async (...words) => {
  const handle = await open(...words);
  for (const name of ['sync', 'writeFile']) {
    const original = handle[name].bind(handle);
    handle[name] = (...rest) =>
      doubtful(() => original(...rest), name === 'writeFile' ? () => original(halve(rest[0])) : undefined);
  }
  return handle;
};

process.on('exit', () => {
  if (process.env.KILL_COUNT !== undefined) writeFileSync(process.env.KILL_COUNT, String(calls));
});
