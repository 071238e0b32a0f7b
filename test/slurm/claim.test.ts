import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { BatchFolder } from '../../src/runner/jobs/batch.ts';
import { assertLinks, claim, isRightJob, readClaim } from '../../src/runner/jobs/claim.ts';

let folder: BatchFolder;

beforeEach(async () => {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-claim-'));
  onTestFinished(() => fs.rm(root, { recursive: true, force: true }));
  folder = new BatchFolder(path.join(root, 'batch'));
  mkdirSync(folder.root);
});

describe('a batch', () => {
  test('has one job, however many come at the same moment', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => String(i + 1));
    const answers = new Set(await Promise.all(ids.map((id) => claim(folder.claimFile, id))));
    expect(answers.size).toBe(1);
    expect(answers).toContain(readClaim(folder.claimFile));
  });

  test('is run by that job, by each task of its array, and again after it was put back into the queue', async () => {
    expect(await isRightJob(folder.claimFile, { SLURM_ARRAY_JOB_ID: '7', SLURM_JOB_ID: '8' })).toBe(true);
    expect(await isRightJob(folder.claimFile, { SLURM_ARRAY_JOB_ID: '7', SLURM_JOB_ID: '9' })).toBe(true);
    expect(await isRightJob(folder.claimFile, { SLURM_JOB_ID: '9' })).toBe(false);
    expect(await claim(folder.claimFile, '9')).toBe('7');
  });

  test('that shall have none, or is gone, gets none', async () => {
    expect(await claim(folder.claimFile, null)).toBeNull();
    expect(await isRightJob(folder.claimFile, { SLURM_JOB_ID: '9' })).toBe(false);
    await folder.remove();
    expect(await isRightJob(folder.claimFile, { SLURM_JOB_ID: '9' })).toBe(false);
    await expect(fs.stat(folder.root)).rejects.toThrow('ENOENT');
  });

  test('is run by nothing that does not know which job it is', async () => {
    await expect(isRightJob(folder.claimFile, {})).rejects.toThrow('SLURM_JOB_ID');
  });

  test('is not submitted where there are no links to claim it by', async () => {
    const file = path.join(folder.root, 'link');
    await assertLinks(file);
    expect(readdirSync(folder.root)).toEqual([]);
    const refuse = vi
      .spyOn(fs, 'symlink')
      .mockRejectedValue(Object.assign(new Error('no'), { code: 'EPERM' }));
    onTestFinished(() => refuse.mockRestore());
    await expect(assertLinks(file)).rejects.toMatchObject({ code: 'no-links', where: folder.root });
  });

  test('is not taken for one without a job where that cannot be read', () => {
    writeFileSync(folder.claimFile, '7');
    expect(() => readClaim(folder.claimFile)).toThrow('cannot be read (EINVAL');
  });
});
