import { chmodSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { filesBelow, findInconsistencies, readOutputs } from '../runner/rig/crash/checks.ts';
import { measureRun, runAndKill } from '../runner/rig/crash/kills.ts';
import { expectedFiles, repro, runWhole } from '../runner/rig/crash/project.ts';
import { makeStorage } from '../runner/share/storage.ts';
import { call, createShared, createTwo, useFinishedProject } from './cache-project.ts';

useFinishedProject();

/** Kills a command at three of its calls, and checks what is there and that the next one completes. */
async function killOften(
  root: string,
  words: readonly string[],
  steps: {
    readonly prepare: () => Promise<void>;
    readonly check: (about: string) => Promise<void> | void;
    readonly exitCodes?: readonly number[];
  },
): Promise<void> {
  await steps.prepare();
  const { calls } = await measureRun(root, words);
  expect(calls).toBeGreaterThan(8);
  for (const [i, moment] of (['half', 'after', 'before'] as const).entries()) {
    // Early, in the middle, and late.
    const at = 1 + Math.floor(((3 * i + 1) * calls) / 8);
    const about = `${moment} call ${at} of ${calls}`;
    await steps.prepare();
    await runAndKill(root, words, { kind: 'call', at, moment });
    if (steps.exitCodes === undefined) expect(findInconsistencies(root), about).toEqual([]);
    const next = await execa(process.execPath, words, { cwd: root, reject: false });
    expect(steps.exitCodes ?? [0], `${about}\n${next.stderr}`).toContain(next.exitCode);
    await steps.check(about);
  }
}

test('pull killed at any moment leaves what is right, and the next one completes', async () => {
  const { copy, remote } = await createShared();
  await killOften(copy, [repro, 'cache', 'pull', ...remote], {
    prepare: async () => rmSync(path.join(copy, 'artifacts'), { recursive: true, force: true }),
    check: (about) => {
      expect(readOutputs(copy), about).toEqual(expectedFiles(1));
      expect(readdirSync(path.join(copy, 'artifacts/.cache/tmp')), about).toEqual([]);
    },
  });
});

test('push killed at any moment leaves no record without its files, and the next one completes', async () => {
  const { root, copy } = await createTwo();
  const { address } = await makeStorage('folder');
  await killOften(root, [repro, 'cache', 'push', '--remote', address, '--set', 'version=1'], {
    prepare: async () => rmSync(address, { recursive: true, force: true }),
    check: async (about) => {
      rmSync(path.join(copy, 'artifacts'), { recursive: true, force: true });
      expect(
        (await call(copy, 'cache', 'pull', '--remote', address, '--set', 'version=1')).exitCode,
        about,
      ).toBe(0);
      expect(readOutputs(copy), about).toEqual(expectedFiles(1));
    },
  });
});

test('verify killed at any moment removes nothing that is right, and the next one finds the rest', async () => {
  const { root } = await createTwo();
  const folder = path.join(root, 'artifacts/.cache');
  let sound = 0;
  await killOften(root, [repro, 'cache', 'verify'], {
    // Damage is told by the exit code.
    exitCodes: [0, 1],
    prepare: async () => {
      const files = ['store/files', 'store/trees'].flatMap((one) =>
        filesBelow(path.join(folder, one)).slice(0, 2),
      );
      for (const file of files) {
        chmodSync(file, 0o644);
        truncateSync(file, 3);
      }
      sound = filesBelow(folder).length - files.length;
    },
    check: async (about) => {
      expect((await call(root, 'cache', 'verify')).stdout, about).toMatch(/; 0 damaged$/);
      // The lock's own file comes and goes.
      expect(filesBelow(folder).length, about).toBeGreaterThanOrEqual(sound - 1);
      for (const output of Object.keys(readOutputs(root))) rmSync(path.join(root, output));
      expect((await runWhole(root, 1)).exitCode, about).toBe(0);
      expect(readOutputs(root)).toEqual(expectedFiles(1));
      expect(findInconsistencies(root)).toEqual([]);
    },
  });
});
