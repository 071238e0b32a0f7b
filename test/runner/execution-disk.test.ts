import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cacheFolderOf } from '../../src/runner/store/cache-folder.ts';
import { assertWritable } from '../../src/runner/store/outputs-in-place.ts';
import { findInconsistencies, findPartialOutputs, readOutputs } from './rig/crash/checks.ts';
import { createCrashProject, expectedFiles, outputsOf, repro, runWhole } from './rig/crash/project.ts';

/** Mounting takes root and, in a container, the permission to. */
const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();
const why = canMount ? '' : ' (skipped: this user may not mount file systems)';

function mount(folder: string, ...words: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', [...words, folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
}

function mountReadOnly(folder: string): void {
  mount(folder, '--bind', folder);
  execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
}

/** Fills a disk up to so many bytes. @returns what removes the filling */
function fillDisk(folder: string, freeBytes: number): () => void {
  const file = path.join(folder, 'filling');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
  return () => rmSync(file);
}

describe.skipIf(!canMount)(`a full disk${why}`, () => {
  test('can be cleaned, though not even the lock can be written', async () => {
    const root = await createCrashProject();
    const artifacts = path.join(root, 'artifacts');
    mount(artifacts, '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs');
    for (const version of [1, 2]) expect((await runWhole(root, version)).exitCode).toBe(0);
    fillDisk(artifacts, 0);
    const lock = path.join(artifacts, '.cache/lock/9.json');
    expect(() => writeFileSync(lock, 'x'.repeat(100))).toThrow('ENOSPC');
    rmSync(lock);
    const { exitCode, stdout, stderr } = await execa(process.execPath, [repro, 'gc'], {
      cwd: root,
      reject: false,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('freed; 5 records kept');
    const { states } = await runWhole(root, 2);
    expect(new Set(Object.values(states))).toEqual(new Set(['cached']));
  });

  test('fails a run with a reason, leaves nothing half-written, and once there is space the next run completes', async () => {
    const root = await createCrashProject();
    mount(path.join(root, 'artifacts'), '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs');
    const outcomes = new Set<number | undefined>();
    const versions: number[] = [];
    // From nothing free at all to nearly enough for a whole run, which takes some 50 pages.
    for (const [version, freePages] of [0, 2, 8, 18, 32, 400].entries()) {
      versions.push(version);
      const makeSpace = fillDisk(path.join(root, 'artifacts'), freePages * 4096);
      const { exitCode, errors, states } = await runWhole(root, version);
      outcomes.add(exitCode);
      const about = `${freePages} pages free\n${errors}`;
      if (exitCode === 0) expect(new Set(Object.values(states)), about).toEqual(new Set(['finished']));
      else {
        expect(exitCode, about).toBe(1);
        expect(errors, about).toMatch(/the disk is full/);
        expect(errors, about).toMatch(/Free some space.*, then run again/);
      }
      expect(findPartialOutputs(root, versions), about).toEqual([]);
      makeSpace();
      expect(findInconsistencies(root), about).toEqual([]);
      const next = await runWhole(root, version);
      expect(next.exitCode, next.errors).toBe(0);
      expect(readOutputs(root), about).toEqual(expectedFiles(version));
    }
    expect([...outcomes].sort()).toEqual([0, 1]);
  });
});

describe.skipIf(!canMount)(`a disk of its own for a part of artifacts/${why}`, () => {
  test.each([
    ['artifacts/a', 'a'],
    ['artifacts/c', 'c@low'],
    ['artifacts/.cache', 'a'],
  ])('%s is noticed before stage %s starts', async (folder, id) => {
    const root = await createCrashProject();
    mount(path.join(root, folder), '-t', 'tmpfs', 'tmpfs');
    const { errors, states } = await runWhole(root, 1);
    expect(states[id]).toBe('failed');
    const temporary = path.join(root, 'artifacts/.cache/tmp');
    expect(errors).toContain(`this is on another disk than ${temporary}, where results are made\n`);
    expect(errors).toContain('mount all of artifacts/ instead');
    expect(existsSync(path.join(root, 'artifacts/.cache/logs', `${id}.log`))).toBe(false);
  });
});

describe.skipIf(!canMount)(`a read-only file system${why}`, () => {
  test('with the store on it: what is up to date is left, what is missing is restored, and nothing is computed in vain', async () => {
    const root = await createCrashProject();
    await runWhole(root, 1);
    mountReadOnly(path.join(root, 'artifacts/.cache/store'));
    expect((await runWhole(root, 1)).exitCode).toBe(0);

    for (const output of Object.values(outputsOf).flat())
      rmSync(path.join(root, output), { recursive: true });
    const { exitCode, states } = await runWhole(root, 1);
    expect({ exitCode, states: new Set(Object.values(states)) }).toEqual({
      exitCode: 0,
      states: new Set(['cached']),
    });
    expect(readOutputs(root)).toEqual(expectedFiles(1));

    const other = await runWhole(root, 2);
    expect(other.exitCode).toBe(1);
    expect(other.errors).toContain(
      `${path.join(root, 'artifacts/.cache/store/files')}  stage "a": the file system`,
    );
    expect(other.errors).toContain('the file system is read-only (EROFS)\n');
    expect(other.errors).toContain('Mount it writable');
    expect(
      readdirSync(path.join(root, 'artifacts/.cache/logs')).filter((one) => one.includes('previous')),
    ).toEqual([]);
    expect(readOutputs(root)).toEqual(expectedFiles(1));
  });

  test('where an output belongs is noticed before its stage starts', async () => {
    const root = await createCrashProject();
    const folder = path.join(root, 'out');
    mkdirSync(path.join(folder, 'old'), { recursive: true });
    writeFileSync(path.join(root, 'file'), '');
    const cache = cacheFolderOf({ projectRoot: root });
    await assertWritable(cache, root, ['out/old', 'out/new/deep', 'elsewhere', 'file/blocked']);
    mountReadOnly(path.join(folder, 'old'));
    await expect(assertWritable(cache, root, ['elsewhere', 'out/old'])).rejects.toMatchObject({
      code: 'EROFS',
      path: path.join(folder, 'old'),
    });
    await expect(assertWritable(cache, root, ['out/old/new/deep'])).rejects.toMatchObject({ code: 'EROFS' });
  });

  test('with all of the project on it: status works, and a run says what to do', async () => {
    const root = await createCrashProject();
    await runWhole(root, 0);
    mountReadOnly(root);
    const words = { cwd: root, reject: false } as const;
    expect((await execa(process.execPath, [repro, 'status', '--exit-code'], words)).exitCode).toBe(0);
    const run = await execa(process.execPath, [repro, 'run'], words);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('the file system is read-only (EROFS)');
    expect(run.stderr).toContain('Mount it writable, or work in a writable copy of the project');
  });
});
