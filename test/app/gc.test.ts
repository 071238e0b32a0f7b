import { existsSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findInconsistencies, findRecorded, readOutputs } from '../runner/rig/crash/checks.ts';
import { measureRun, runAndKill } from '../runner/rig/crash/kills.ts';
import {
  createCrashProject,
  expectedFiles,
  outputsOf,
  repro,
  runWhole,
} from '../runner/rig/crash/project.ts';

function gc(root: string, ...words: readonly string[]) {
  return execa(process.execPath, [repro, 'gc', ...words], { cwd: root, reject: false });
}

describe('repro gc', () => {
  test('says what would go, removes it, and keeps what the last run needs', async () => {
    const root = await createCrashProject();
    for (const version of [1, 2]) expect((await runWhole(root, version)).exitCode).toBe(0);
    const rehearsal = JSON.parse((await gc(root, '--dry-run', '--json')).stdout) as Record<string, unknown>;
    expect(rehearsal).toMatchObject({ version: 1, command: 'gc', dryRun: true, keptRecords: 5 });
    expect((rehearsal.records as { id: string }[]).map(({ id }) => id).sort()).toEqual(
      Object.keys(outputsOf).sort(),
    );
    expect(findRecorded(root, 1)).toHaveLength(5);

    const { stdout, exitCode } = await gc(root);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^[\d.]+ k?B freed; 5 records kept$/m);
    expect(findRecorded(root, 1)).toEqual([]);
    expect((await gc(root)).stdout).toBe('0 B freed; 5 records kept');
    const { states } = await runWhole(root, 2);
    expect(new Set(Object.values(states))).toEqual(new Set(['cached']));
  });

  test('killed at any moment leaves no record without its files, and the next one completes', async () => {
    const root = await createCrashProject();
    for (const version of [1, 2]) await runWhole(root, version);
    const copy = `${root}-copy`;
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    await cp(root, copy, { recursive: true });
    const words = [repro, 'gc'];
    const { calls } = await measureRun(copy, words);
    expect(calls).toBeGreaterThan(20);
    for (let at = 1; at <= calls; at += Math.ceil(calls / 6)) {
      rmSync(copy, { recursive: true });
      await cp(root, copy, { recursive: true });
      await runAndKill(copy, words, { kind: 'call', at, moment: 'after' });
      expect(findInconsistencies(copy), `call ${at}`).toEqual([]);
      // The stage that runs in between finds some of version 1 gone, or none.
      const { exitCode, errors } = await runWhole(copy, 1);
      expect(exitCode, `call ${at}\n${errors}`).toBe(0);
      expect(readOutputs(copy)).toEqual(expectedFiles(1));
    }
    await gc(copy);
    expect(findRecorded(copy, 2)).toEqual([]);
    expect(existsSync(path.join(copy, 'artifacts/.cache/tmp'))).toBe(true);
  });
});
