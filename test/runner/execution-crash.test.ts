import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { randomNumbers } from '../support/random.ts';
import {
  findInconsistencies,
  findPartialOutputs,
  findRecorded,
  listAside,
  readOutputs,
} from './rig/crash/checks.ts';
import { describeKill, drawKill, measureRun, runAndKill } from './rig/crash/kills.ts';
import { createCrashProject, expectedFiles, outputsOf, runWhole, runWords } from './rig/crash/project.ts';

/** `npm run test:crash -- --kills 400 --seed 1` sets these. */
const kills = Number(process.env.CRASH_KILLS ?? 24);
const seed = Number(process.env.CRASH_SEED ?? 1);

/** Longer than a kill and the run after it ever took. */
const secondsEach = 60;

test(`killed at ${kills} random moments (seed ${seed}), a run leaves whole outputs or none, and the next one ends as if nothing had happened`, {
  timeout: kills * secondsEach * 1000,
}, async () => {
  const root = await createCrashProject();
  const random = randomNumbers(seed);
  const length = await measureRun(root, runWords(0));
  expect(readOutputs(root)).toEqual(expectedFiles(0));
  const seen = { kept: 0, lost: 0 };
  let version = 1;
  for (let i = 1; i <= kills; i += 1) {
    const kill = drawKill(random, length);
    const about = `kill ${i}, version ${version}: ${describeKill(kill)}`;
    await runAndKill(root, runWords(version), kill);
    const versions = Array.from({ length: version + 1 }, (_, one) => one);
    expect(findPartialOutputs(root, versions), about).toEqual([]);
    expect(findInconsistencies(root), about).toEqual([]);

    // Some kills hit what the next run does to heal the one before.
    if (random() < 0.4 && i < kills) continue;
    const recorded = findRecorded(root, version);
    const { exitCode, errors, states } = await runWhole(root, version);
    expect(exitCode, `${about}\n${errors}`).toBe(0);
    expect(readOutputs(root), about).toEqual(expectedFiles(version));
    const cached = Object.keys(states).filter((id) => states[id] === 'cached');
    expect(cached.sort(), about).toEqual(recorded);
    expect(readdirSync(path.join(root, 'artifacts/.cache/tmp')), about).toEqual([]);
    // Work of other versions may be set aside; nothing is left of this one, which is finished.
    expect(existsSync(path.join(root, 'artifacts/b.resume')), about).toBe(false);
    seen.kept += recorded.length;
    seen.lost += Object.keys(outputsOf).length - recorded.length;
    version += 1;
  }
  // Otherwise the kills came too early or too late to say anything.
  expect(seen.kept).toBeGreaterThan(0);
  expect(seen.lost).toBeGreaterThan(0);
});

test('what a finished stage could resume from goes with the next run, if a kill came before that; other work stays', async () => {
  const root = await createCrashProject();
  await runWhole(root, 1);
  const folder = path.join(root, 'artifacts/b.resume');
  const record = JSON.parse(readFileSync(path.join(root, 'artifacts/.cache/records/b.json'), 'utf8'));
  const leave = (fingerprint: string): void => {
    mkdirSync(folder);
    writeFileSync(path.join(folder, '1'), 'half');
    writeFileSync(`${folder}.fingerprint`, `${fingerprint}\n`);
  };
  leave(record.fingerprint);
  mkdirSync(path.join(root, 'artifacts/.cache/resume', record.fingerprint), { recursive: true });
  expect((await runWhole(root, 1)).states.b).toBe('cached');
  expect(existsSync(folder)).toBe(false);
  expect(existsSync(`${folder}.fingerprint`)).toBe(false);
  expect(readdirSync(path.join(root, 'artifacts/.cache/resume'))).toEqual([]);

  leave('0'.repeat(64));
  expect((await runWhole(root, 1)).states.b).toBe('cached');
  expect(readFileSync(path.join(folder, '1'), 'utf8')).toBe('half');
});

test('no kill while outputs are restored loses what a person wrote', async () => {
  const root = await createCrashProject();
  await runWhole(root, 0);
  const notes = {
    'artifacts/a/notes': 'new',
    'artifacts/b.txt': 'edited',
    'artifacts/b-parts/1': 'edited, too',
  };
  const write = (i: number): void => {
    for (const [file, text] of Object.entries(notes)) writeFileSync(path.join(root, file), `${text} ${i}`);
  };
  write(0);
  const { calls } = await measureRun(root, runWords(0));
  const kills = 6;
  for (let i = 1; i <= kills; i += 1) {
    write(i);
    const at = Math.ceil((calls * i) / kills);
    await runAndKill(root, runWords(0), { kind: 'call', at, moment: i % 2 === 0 ? 'before' : 'after' });
    expect((await runWhole(root, 0)).exitCode).toBe(0);
    expect(readOutputs(root)).toEqual(expectedFiles(0));
    const kept = Object.values(listAside(root));
    for (const text of Object.values(notes)) expect(kept, `kill at ${at}`).toContain(`${text} ${i}`);
  }
});
