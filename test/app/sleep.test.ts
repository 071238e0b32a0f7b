import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTinyReproduction } from '../report/baseline/tiny-reproduction.ts';
import { CliProject, repository } from '../runner/rig/cli-project.ts';
import { filesBelow } from '../runner/rig/crash/checks.ts';
import { processesIn } from '../runner/rig/crash/kills.ts';
import { parent } from '../runner/rig/crash/project.ts';
import { killIfRunning, patience, waitForEnd } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Two people, of whom one is tested, and a training of some seconds on the engine with the same digits everywhere. */
const profile = `dataset: {name: dvs128-gesture, simulated: true, root: artifacts/simulate, folds: 2}
simulate: {seed: 1, trainUsers: 1, testUsers: 1, lights: [led], gestureSeconds: 0.5}
frames: {steps: 4, splitBy: number, downsample: 8, invalidEvents: keep}
models: [lambda-0.1]
seeds: [2020]
threads: 1
train:
  engine: wasm
  epochs: 100
  batchSize: 4
  validationShare: 0.5
  network: {channels: 8, layers: 2, hidden: 32}
evaluate: {engine: wasm, batchSize: 32}
`;

const command = ['run', 'evaluate'];

/** A project with frames, before its trainings, and what these give if nothing disturbs them. */
let base: CliProject;
let undisturbed: Readonly<Record<string, string>>;
beforeAll(async () => {
  base = await createTinyReproduction();
  for (const name of ['pipeline.yaml', 'schemas', 'configs/claims.yaml', 'dist/explore.js']) {
    await fs.cp(path.join(repository, name), base.at(name), { recursive: true });
  }
  // Less than the jumps of the clock.
  await base.edit('pipeline.yaml', 'time: 14d', 'time: 1h');
  await base.write('configs/profiles/quick.yaml', profile);
  await base.remove('configs/profiles/tiny.yaml');
  expect((await base.call(['run', 'frames'])).exitCode).toBe(0);
  const whole = new CliProject(base.at('whole'));
  await fs.mkdir(whole.root);
  for (const name of await fs.readdir(base.root)) {
    if (name !== 'whole') await fs.cp(base.at(name), whole.at(name), { recursive: true });
  }
  expect((await whole.call(command)).exitCode).toBe(0);
  undisturbed = resultsOf(whole);
  await fs.rm(whole.root, { recursive: true });
});
afterAll(() => base.remove('.'));

/** The digests of all files of the trainings and evaluations. */
function resultsOf(project: CliProject): Readonly<Record<string, string>> {
  const files = ['artifacts/train', 'artifacts/evaluate'].flatMap((name) => filesBelow(project.at(name)));
  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  return Object.fromEntries(files.map((file) => [path.relative(project.root, file), digest(file)]));
}

async function copyBase(): Promise<CliProject> {
  const project = new CliProject(await temporaryFolder(parent));
  onTestFinished(() => killAll(project));
  await fs.cp(base.root, project.root, { recursive: true });
  return project;
}

/** The command, started, and what it has printed. */
function start(project: CliProject, env: Readonly<Record<string, string>> = {}) {
  const child = project.call(command, env);
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  const until = (what: RegExp) => vi.waitFor(() => expect(said).toMatch(what), patience);
  return { ended: child, until };
}

const checkpoint = (project: CliProject) => project.at('artifacts/train/lambda-0.1/2020.resume/checkpoint');

/** Until the training has saved something, or something else than `before`. */
async function untilSaved(project: CliProject, before?: number): Promise<number> {
  return vi.waitFor(() => {
    const { ino } = statSync(checkpoint(project));
    expect(ino).not.toBe(before);
    return ino;
  }, patience);
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, name);
}

/** As a loss of power does. */
async function killAll({ root }: CliProject): Promise<void> {
  const pids = processesIn(root);
  for (const pid of pids) killIfRunning(pid);
  for (const pid of pids) await waitForEnd(pid);
}

describe.runIf(process.platform === 'linux')('a run that is stopped for more than a minute', () => {
  const isVictim = {
    'the runner and its stages': () => true,
    'the runner': (pid: number, runner: number | undefined) => pid === runner,
    'its stages': (pid: number, runner: number | undefined) => pid !== runner,
  };
  test('keeps its lock and ends as if nothing had happened', async () => {
    const projects = await Promise.all(
      Object.values(isVictim).map(async (choose) => [choose, await copyBase()] as const),
    );
    const ends = projects.map(async ([choose, project]) => {
      const run = start(project);
      await untilSaved(project);
      const stopped = processesIn(project.root).filter((pid) => choose(pid, run.ended.pid));
      signal(stopped, 'SIGSTOP');
      // After a minute without a sign, a holder that cannot be looked up counts as dead.
      await wait(61_000);
      await project.expectFailure(command, 75, 'another run holds this folder');
      signal(stopped, 'SIGCONT');
      const { exitCode, stderr } = await run.ended;
      return { exitCode, starts: stderr.match(/^> /gm)?.length, results: resultsOf(project) };
    });
    for (const end of await Promise.all(ends)) {
      expect(end).toEqual({ exitCode: 0, starts: 2, results: undisturbed });
    }
  });
});

test('a clock that jumps ahead by eight hours and back by nine changes neither results nor times, and nothing runs again', async () => {
  const project = await copyBase();
  await project.write(
    'clock.mjs',
    `import { readFileSync } from 'node:fs';
     const Real = Date;
     const now = () => Real.now() + 3_600_000 * Number(readFileSync(${JSON.stringify(project.at('hours'))}, 'utf8'));
     globalThis.Date = class extends Real { constructor(...words) { super(...(words.length ? words : [now()])); } static now() { return now(); } };`,
  );
  const setClock = (hours: number) => writeFileSync(project.at('hours'), String(hours));
  setClock(0);
  const run = start(project, { NODE_OPTIONS: `--import ${pathToFileURL(project.at('clock.mjs')).href}` });
  await run.until(/ {2}train@\S+ {2}\d+ %/);
  setClock(8);
  await run.until(/ {2}train@\S+ {2}[4-7]\d %/);
  setClock(-1);
  const { exitCode, stderr } = await run.ended;
  expect([exitCode, stderr]).toEqual([0, expect.not.stringMatching(/ (h|days) .*left/)]);
  expect(resultsOf(project)).toEqual(undisturbed);
  const { instances } = await project.json(['metrics', 'train']);
  for (const { seconds } of instances) expect(seconds).toBeLessThan(3600);
  expect((await project.call(command)).stderr).toContain('5 up to date');
});

describe.runIf(process.platform === 'linux')('a machine that loses power in a training', () => {
  const losePower = async (project: CliProject, { ended }: ReturnType<typeof start>) => {
    await killAll(project);
    return (await ended).stderr;
  };
  const resumedAt = (said: string) => Number(said.match(/Resuming at epoch (\d+) of 100/)?.[1]);

  test('continues from the last save, even if that was cut off, and ends with the same digits', async () => {
    const project = await copyBase();
    // A pipe in the place of the file that is being written: power is lost when its first bytes are on their way.
    const first = start(project);
    await untilSaved(project);
    const partial = `${checkpoint(project)}.tmp`;
    await vi.waitFor(() => execa('mkfifo', [partial]), patience);
    const pipe = await fs.open(partial, 'r');
    const { buffer, bytesRead } = await pipe.read();
    await losePower(project, first);
    await pipe.close();
    await fs.rm(partial);
    await fs.writeFile(partial, buffer.subarray(0, bytesRead));

    const saved = await untilSaved(project);
    const second = start(project);
    await untilSaved(project, saved);
    const epoch = resumedAt(await losePower(project, second));
    expect(epoch).toBeGreaterThan(1);

    // What was written last need not be on the disk. After a kill between two renames, only the previous file is there.
    const previous = readFileSync(`${checkpoint(project)}.previous`);
    writeFileSync(checkpoint(project), previous.subarray(0, previous.length / 2));
    const { exitCode, stderr } = await start(project).ended;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('This checkpoint cannot be used')]);
    expect(resumedAt(stderr)).toBeGreaterThanOrEqual(epoch);
    expect(resultsOf(project)).toEqual(undisturbed);
  });
});
