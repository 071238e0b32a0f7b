// Makes sure that there is an addon: the one compiled earlier, or a new one. npm runs it on every installation of the
// project, which must succeed without a compiler: then it says what is missing, and WebAssembly takes over. With --required
// (`npm run build:native`) that is a failure. An addon that was compiled from other sources stays in use until it is compiled again.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { compilerVariables, describeMissing, explainBuildLog, missingTools } from './scripts/toolchain.mjs';

const require = createRequire(import.meta.url);
const folder = import.meta.dirname;
const logFile = path.join(folder, 'build', 'build.log');
const binary = path.join(folder, 'build', 'Release', 'plif_native.node');
const platform = `${process.platform}-${process.arch}`;
const isRequired = process.argv.includes('--required');
const { sourceDigest } = require('./scripts/source-digest.cjs');

const isSkipped = process.env.PLIF_NATIVE === 'skip' && !isRequired;
const existing = probe();
const deleted = existing.crashed && !isSkipped && deleteBuild();
const failure = await install();
if (failure !== null) {
  const before = deleted ? `the earlier build ${existing.reason}, and was deleted; now ` : '';
  // A failed compilation leaves the old file alone, if it got that far.
  const fallback =
    probe().addon === null
      ? 'The same engine computes in WebAssembly: each training uses one core, and takes about three times as long on it.'
      : 'The earlier build stays in use.';
  say(isRequired && existing.addon === null ? `${before}${failure}` : `${before}${failure} ${fallback}`);
  process.exitCode = isRequired ? 1 : 0;
}

/** Returns what went wrong and what to do about it; null if there is an addon now. */
async function install() {
  if (isSkipped) return 'skipped, as PLIF_NATIVE=skip asks.';
  if (existing.addon?.sourceDigest === sourceDigest()) {
    noteSize();
    say(`ready (${existing.addon.instructionSets.join(', ')})`);
    return null;
  }
  if (!['x64', 'arm64'].includes(process.arch)) return `there is none for ${platform}.`;
  const gyp = findNodeGyp();
  if (gyp === null) return 'not compiled: node-gyp is not installed. Run `npm ci`.';
  const missing = missingTools();
  if (missing.length > 0) return `not compiled: ${describeMissing(missing)}`;

  // make would take what is there if its sources are older.
  if (existing.addon === null) deleteBuild();
  rmSync(`${binary}.size`, { force: true });
  const startedMs = performance.now();
  say(`compiling for ${platform}, which takes up to a minute …`);
  const code = await compile(gyp);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  if (code !== 0) return describeFailure();
  const built = probe();
  if (built.addon === null) {
    const fate = built.crashed && deleteBuild() ? ', and was deleted' : '';
    return `compiled, but it ${built.reason}${fate}. Please report this.`;
  }
  noteSize();
  say(`compiled in ${seconds} s (${built.addon.instructionSets.join(', ')})`);
  return null;
}

/**
 * Loads the addon in a process of its own, since the file will be overwritten, and since an addon that crashes takes the process
 * with it. Returns its description; null, with a reason, if there is none, it does not load, or it is so old that it does not say what
 * compiled it, which src/network/engines/native/addon.ts needs.
 */
function probe() {
  const script =
    'const { sourceDigest, compiler, instructionSets } = require("./index.cjs");' +
    'console.log(JSON.stringify({ sourceDigest, compiler, instructionSets }))';
  // What is installed here, not what the variable names instead.
  const { PLIF_NATIVE_BINARY: _other, ...env } = process.env;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  const addon = status === 0 ? JSON.parse(stdout) : null;
  if (typeof addon?.compiler === 'string') return { addon, crashed: false, reason: '' };
  const crashed = /^SIG(ILL|SEGV|BUS|FPE)$/.test(signal);
  if (crashed) return { addon: null, crashed, reason: `crashes when it is loaded (${signal})` };
  const error = /^\w*Error: .*/m.exec(stderr)?.[0] ?? `Node.js ended with ${signal ?? status}`;
  return { addon: null, crashed, reason: `does not load (${error})` };
}

/**
 * Deletes what was compiled here, so that no other command crashes; all of it, or make would take the same file again. Returns
 * whether there was anything and it is gone.
 */
function deleteBuild() {
  const build = path.dirname(binary);
  if (!existsSync(build)) return false;
  try {
    rmSync(build, { recursive: true });
    return true;
  } catch (error) {
    say(`${path.relative(process.cwd(), build)} could not be deleted (${error.message}).`);
    return false;
  }
}

/** Notes how long the file is that was compiled here and loads, for index.cjs. */
function noteSize() {
  if (existsSync(binary)) writeFileSync(`${binary}.size`, String(statSync(binary).size));
}

function findNodeGyp() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return null;
  }
}

/** Runs node-gyp; its output, thousands of lines, goes to a file. */
async function compile(gyp) {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const headers = path.resolve(path.dirname(process.execPath), '..');
  // Node.js' own headers, if they are installed with it, spare the download.
  const local = existsSync(path.join(headers, 'include/node/common.gypi')) ? [`--nodedir=${headers}`] : [];
  const child = spawn(process.execPath, [gyp, 'configure', 'build', '--release', '--jobs', 'max', ...local], {
    cwd: folder,
    stdio: ['ignore', log, log],
    // binding.gyp runs `node`.
    env: {
      ...process.env,
      ...compilerVariables(),
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`,
    },
  });
  return new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', resolve);
  });
}

function describeFailure() {
  const why = explainBuildLog(readFileSync(logFile, 'utf8'));
  const log = path.relative(process.cwd(), logFile);
  return `compiling it failed${why === null ? '' : ` (${why})`}; the whole output is in ${log}.`;
}

function say(text) {
  console.log(`native engine: ${text}`);
}
