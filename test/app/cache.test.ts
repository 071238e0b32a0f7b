import { chmodSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { filesBelow, findInconsistencies, readOutputs } from '../runner/rig/crash/checks.ts';
import { expectedFiles, repro, runWhole } from '../runner/rig/crash/project.ts';
import { makeStorage } from '../runner/share/storage.ts';
import { call, createTwo, useFinishedProject } from './cache-project.ts';

useFinishedProject();

const cache = (root: string, ...words: readonly string[]) =>
  call(root, 'cache', ...words, '--set', 'version=1');

describe('repro cache', () => {
  test('shares results; a run with --pull takes them', async () => {
    const { root, copy } = await createTwo();
    const { address } = await makeStorage('folder');
    const pushed = await cache(root, 'push', '--remote', address, '--json');
    expect(pushed.exitCode, pushed.stderr).toBe(0);
    expect(JSON.parse(pushed.stdout)).toMatchObject({ command: 'cache push', remote: address });
    expect(pushed.stderr).toMatch(/^\+ a {2}uploaded: 8 files, /m);
    expect((await cache(root, 'push', '--remote', address)).stderr).toMatch(/^= d {2}already there$/m);

    const pulled = await cache(copy, 'pull', 'd', '--remote', address);
    expect({ exitCode: pulled.exitCode, stderr: pulled.stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(
        /^\+ d {2}1 file fetched, \d+ B, in place: artifacts\/d\.txt\n\d earlier stages? /,
      ),
    });
    const words = ['run', '--pull', '--remote', address, '--set', 'version=1', '--json'];
    const { stdout, stderr } = await call(copy, ...words);
    const { instances } = JSON.parse(stdout) as { instances: { state: string }[] };
    expect(new Set(instances.map(({ state }) => state))).toEqual(new Set(['cached']));
    expect(stderr).toContain(`fetched from ${address}: made on `);
    expect(readOutputs(copy)).toEqual(expectedFiles(1));
  });

  test('takes the remote from pipeline.yaml, and says what is wrong with one', async () => {
    const { root, copy } = await createTwo();
    // Before the run begins.
    const impossible = await call(copy, 'run', '--pull', '--remote', 's3://', '--set', 'version=1');
    expect(impossible.exitCode).toBe(2);
    expect(impossible.stderr).toMatch(
      /^"s3:\/\/" is not an address of a remote cache\n {2}Expected a folder/,
    );
    expect(readOutputs(copy)).toEqual({});
    const none = await cache(root, 'push');
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain('there is no remote cache\n  Name one with --remote');
    const pipeline = path.join(root, 'pipeline.yaml');
    await execa('sed', ['-i', '1a cache: { remote: shared/cache }', pipeline]);
    const absent = await cache(root, 'push');
    expect(absent.exitCode).toBe(1);
    expect(absent.stderr).toContain('neither this folder nor its parent exists');
    await execa('mkdir', [path.join(root, 'shared')]);
    expect((await cache(root, 'push')).exitCode).toBe(0);
    expect(filesBelow(path.join(root, 'shared/cache/v1/actions'))).toHaveLength(5);
    await execa('sed', ['-i', '2c cache: { remot: shared/cache }', pipeline]);
    expect((await cache(root, 'push')).stderr).toContain('pipeline.yaml:2');
    await execa('sed', ['-i', '2c cache: { remote: shared/other }', pipeline]);
    expect((await cache(root, 'pull')).stderr).toContain('shared/other  this folder does not exist');
    const dry = await call(root, 'run', '--pull', '--dry-run', '--set', 'version=1');
    expect(dry.exitCode).toBe(2);
    expect(dry.stderr).toContain('--pull cannot be combined with --dry-run, which fetches nothing');
  });

  test('exits with 3 if something is not there, and with 1 if it cannot be reached', async () => {
    const { root, copy } = await createTwo();
    const { address } = await makeStorage('folder');
    await cache(root, 'push', 'a', '--remote', address);
    const pulled = await cache(copy, 'pull', '--remote', address);
    expect(pulled.exitCode).toBe(3);
    expect(pulled.stderr.split('\n').slice(1)).toEqual([
      '- b  not in the remote cache',
      '- c@low  not in the remote cache',
      '- c@high  not in the remote cache',
      '- d  unknown: results that it depends on were not fetched',
    ]);
    const env = {
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_MAX_ATTEMPTS: '1',
    };
    const words = [repro, 'cache', 'pull', '--remote', 's3://bucket'];
    const { exitCode, stderr } = await execa(process.execPath, words, { cwd: copy, env, reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('s3://bucket  connect ECONNREFUSED 127.0.0.1:1');
    expect(stderr).toContain('Check the network and the endpoint');
  });

  test('verify removes what is damaged in the store, and the next run heals', async () => {
    const { root } = await createTwo();
    const verify = (...words: readonly string[]) => call(root, 'cache', 'verify', ...words);
    const sound = await verify();
    expect({ exitCode: sound.exitCode, stdout: sound.stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+ files, [\d.]+ k?B checked; 0 damaged$/),
    });
    const folder = path.join(root, 'artifacts/.cache');
    const first = (part: string): string => filesBelow(path.join(folder, part))[0] ?? '';
    const damaged = [first('store/files'), first('store/trees')];
    for (const file of damaged) {
      chmodSync(file, 0o644);
      truncateSync(file, 3);
    }
    const names = damaged.map((file) => path.relative(root, file));
    const found = await verify('--json');
    expect(found.exitCode).toBe(1);
    expect((JSON.parse(found.stdout) as { damaged: string[] }).damaged).toEqual(names);
    expect((await verify()).exitCode).toBe(0);
    for (const output of Object.keys(readOutputs(root))) rmSync(path.join(root, output));
    expect((await runWhole(root, 1)).exitCode).toBe(0);
    expect(readOutputs(root)).toEqual(expectedFiles(1));
    expect(findInconsistencies(root)).toEqual([]);
  });
});
