import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, readOutputs } from './rig/crash/checks.ts';
import { createCrashProject, expectedFiles, runWhole } from './rig/crash/project.ts';
import { createProject, type Project } from './rig/project.ts';

/** What a power cut may leave of a file that was just written. */
const damages: Readonly<Record<string, (file: string) => void>> = {
  emptied: (file) => truncateSync(file),
  'cut in half': (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
  'full of zeros': (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length)),
  gone: (file) => rmSync(file),
};

async function createRun(): Promise<Project> {
  const project = await createProject();
  await project.write('in/1.txt', 'input\n');
  await project.write(
    'stages/m.mjs',
    "import { readFileSync, writeFileSync } from 'node:fs';\nexport default { summary: '', async run({ inputs, outputs }) { writeFileSync(outputs[0], readFileSync(inputs[0] + '/1', 'utf8') + 'm\\n'); } };",
  );
  project.define([
    {
      id: 'a',
      sh: 'mkdir "$REPRO_OUTPUT_0"; cat in/1.txt > "$REPRO_OUTPUT_0/1"; echo two > "$REPRO_OUTPUT_0/2"',
      inputs: ['in'],
    },
    { id: 'm', run: 'stages/m.mjs', inputs: ['artifacts/a'], outputs: ['artifacts/m.txt'] },
  ]);
  expect((await project.run()).outcome).toBe('ok');
  return project;
}

function expectWhole(project: Project, about: string): void {
  expect(readdirSync(project.at('artifacts/a')), about).toEqual(['1', '2']);
  expect(project.read('artifacts/a/1'), about).toBe('input\n');
  expect(project.read('artifacts/a/2'), about).toBe('two\n');
  expect(project.read('artifacts/m.txt'), about).toBe('input\nm\n');
}

describe.each(Object.entries(damages))('any file of the cache that is %s', (name, damage) => {
  test('is healed by the next run', async () => {
    const project = await createRun();
    const cache = project.at('artifacts/.cache');
    const kinds = new Set<string>();
    for (const [i, listed] of filesBelow(cache).entries()) {
      // Every run gives the lock's file another name.
      const file = existsSync(listed) ? listed : (filesBelow(path.dirname(listed))[0] ?? listed);
      kinds.add(path.relative(cache, file).split(path.sep)[0] ?? '');
      chmodSync(file, 0o644);
      damage(file);
      // Each file is damaged with the outputs in place, and with the outputs gone too.
      if ((i + Object.keys(damages).indexOf(name)) % 2 === 0) {
        await project.remove('artifacts/a');
        await project.remove('artifacts/m.txt');
      }
      const about = path.relative(cache, file);
      expect((await project.run()).outcome, about).toBe('ok');
      expectWhole(project, about);
      expect(
        (await project.status()).map(({ state }) => state),
        about,
      ).toEqual(['fresh', 'fresh']);
    }
    expect([...kinds].sort()).toEqual([
      'actions',
      'code',
      'digests.json',
      'lock',
      'logs',
      'profiles',
      'records',
      'store',
    ]);
  });

  test('all at once, is healed by the next run', async () => {
    const root = await createCrashProject();
    expect((await runWhole(root, 1)).exitCode).toBe(0);
    for (const isGone of [false, true]) {
      for (const file of filesBelow(path.join(root, 'artifacts/.cache'))) {
        chmodSync(file, 0o644);
        damage(file);
      }
      if (isGone) removeOutputs(root);
      const { exitCode, errors } = await runWhole(root, 1);
      expect(exitCode, errors).toBe(0);
      expect(readOutputs(root)).toEqual(expectedFiles(1));
      // The store is whole again, too.
      removeOutputs(root);
      expect(new Set(Object.values((await runWhole(root, 1)).states))).toEqual(new Set(['cached']));
      expect(readOutputs(root)).toEqual(expectedFiles(1));
    }
  });
});

function removeOutputs(root: string): void {
  for (const file of Object.keys(readOutputs(root))) rmSync(path.join(root, file));
}
