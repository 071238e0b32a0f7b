import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ReproError } from '../../../src/base/errors.ts';
import type { RunEvent } from '../../../src/runner/run/events.ts';
import { openRemote } from '../../../src/runner/share/open-remote.ts';
import { createFetchStage } from '../../../src/runner/share/pull.ts';
import { actionKeyOf, fileKeyOf, type Remote } from '../../../src/runner/share/remote.ts';
import { verifyStore } from '../../../src/runner/store/verify-store.ts';
import { filesBelow, findInconsistencies } from '../rig/crash/checks.ts';
import { createProject } from '../rig/project.ts';
import {
  createCopy,
  createPushed,
  createRun,
  kinds,
  pull,
  push,
  recordOf,
  statesOf,
  watch,
} from './shared-project.ts';
import { breakConnections, makeStorage, s3Missing, s3Title, useS3Server } from './storage.ts';

useS3Server();

describe.each(kinds)('a remote cache in $title', ({ kind, isMissing }) => {
  const check = test.skipIf(isMissing);

  check('gives another copy of the project the results, without running', async () => {
    const { project, remote } = await createRun(kind);
    expect(statesOf(await push(project, remote))).toBe('a pushed, b pushed');
    const again = watch(remote);
    expect(statesOf(await push(project, again.watched))).toBe('a present, b present');
    expect(again.seen.uploads).toBe(0);

    const copy = await createCopy();
    await copy.write('artifacts/.cache/attempts/a.json', 'how it failed here');
    const pulled = await pull(copy, remote);
    expect(statesOf(pulled)).toBe('a fetched, b fetched');
    expect(copy.has('artifacts/.cache/attempts/a.json')).toBe(false);
    // x and same are one file.
    expect(pulled.map(({ files }) => files)).toEqual([3, 1]);
    expect(pulled[0]?.restored).toEqual(['artifacts/a']);
    for (const file of ['a/x', 'a/sub/y', 'a/empty', 'a/same', 'b.txt']) {
      expect(copy.read(`artifacts/${file}`)).toBe(project.read(`artifacts/${file}`));
    }
    expect(findInconsistencies(copy.root)).toEqual([]);
    expect((await copy.run()).ran).toEqual([]);
    expect(statesOf(await pull(copy, remote))).toBe('a present, b present');
    await copy.remove('artifacts/a/x');
    await copy.write('artifacts/b.txt', 'edited');
    const [a, b] = await pull(copy, remote);
    expect([a?.restored, a?.warning, b?.restored]).toEqual([
      ['artifacts/a/x'],
      undefined,
      ['artifacts/b.txt'],
    ]);
    expect(b?.warning).toMatch(/^set aside in artifacts\/.set-aside\/[-\d]+-1: artifacts\/b.txt\. /);
  });

  check('has nothing for other inputs, and a stage that is not up to date is not pushed', async () => {
    const { remote } = await createPushed(kind);
    const other = await createCopy('other');
    expect(statesOf(await pull(other, remote))).toBe('a absent, b waiting');
    expect(statesOf(await push(other, remote))).toBe('a stale, b stale');
    expect(other.has('artifacts/a')).toBe(false);
  });

  check('gives a stage without the files of what it depends on', async () => {
    const { remote } = await createPushed(kind);
    const copy = await createCopy();
    expect(statesOf(await pull(copy, remote, { named: new Set(['b']) }))).toBe('a skipped, b fetched');
    expect(copy.has('artifacts/a')).toBe(false);
    expect(copy.read('artifacts/b.txt')).toBe('b\none');
    expect(filesBelow(copy.at('artifacts/.cache/store/files'))).toHaveLength(1);
  });

  check('takes objects of any size, in parts, and none from a damaged store', async () => {
    const { project, remote } = await createPushed(kind, '0123456789abcdef'.repeat(1_500_000));
    const copy = await createCopy('0123456789abcdef'.repeat(1_500_000));
    expect(statesOf(await pull(copy, remote))).toBe('a fetched, b fetched');
    expect(copy.read('artifacts/a/x')).toBe(project.read('artifacts/a/x'));

    const other = await openRemote(await makeStorage(kind), project.root);
    for (const file of filesBelow(copy.at('artifacts/.cache/store/files'))) {
      if (readFileSync(file, 'utf8').startsWith('yy')) rmSync(file);
    }
    const pushed = await push(copy, other);
    expect(pushed[0]).toMatchObject({
      ...{ state: 'failed' },
      error: { code: 'store-incomplete', fix: expect.stringContaining('./repro cache verify') },
    });
    const { fingerprint } = await recordOf(copy, 'a');
    expect(await other.sizeOf(actionKeyOf(fingerprint))).toBe(null);
    // What the error advises costs no run while the outputs are intact.
    await verifyStore({ projectRoot: copy.root });
    expect(statesOf(await push(copy, other))).toBe('a pushed, b present');
  });

  check('keeps the results that were there first, unless it has lost files of them', async () => {
    const { project, remote } = await createPushed(kind);
    const other = await createCopy();
    await other.run();
    const record = await recordOf(other, 'b');
    const theirs = {
      ...record,
      outputs: (await recordOf(project, 'a')).outputs.map((one) => ({ ...one, path: 'artifacts/b.txt' })),
    };
    await remote.write(actionKeyOf(record.fingerprint), JSON.stringify(theirs));
    expect(statesOf(await push(other, remote))).toBe('a present, b theirs');
    const lost = 'ab'.repeat(32);
    const incomplete = record.outputs.map((one) => ({ ...one, digest: lost }));
    await remote.write(actionKeyOf(record.fingerprint), JSON.stringify({ ...record, outputs: incomplete }));
    expect(statesOf(await push(other, remote))).toBe('a present, b pushed');
    expect(statesOf(await pull(await createCopy(), remote))).toBe('a fetched, b fetched');
  });

  check('is asked by a run first, which runs what is missing or damaged there', async () => {
    const { remote } = await createPushed(kind);
    const copy = await createCopy();
    const events: RunEvent[] = [];
    const run = (from: () => Promise<Remote>) => {
      events.length = 0;
      const onEvent = (event: RunEvent): void => void events.push(event);
      return copy.run({ fetchStage: createFetchStage(from, onEvent), onEvent });
    };
    expect(await run(async () => remote)).toMatchObject({ outcome: 'ok', ran: [], cached: ['a', 'b'] });
    expect(copy.read('artifacts/b.txt')).toBe('b\none');

    await copy.remove('artifacts');
    await remote.write(fileKeyOf('7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'), 'ONE');
    expect(await run(async () => remote)).toMatchObject({ outcome: 'ok', ran: ['a'], cached: ['b'] });
    expect(copy.read('artifacts/a/x')).toBe('one');

    await copy.remove('artifacts');
    const gone = await run(async () => {
      throw new ReproError('remote-unreachable', 'no route to host');
    });
    expect(gone).toMatchObject({ outcome: 'ok', ran: ['a', 'b'] });
    const warnings = () => events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
    expect(warnings()).toEqual(['not fetched, so it runs: no route to host\nThis run fetches nothing more.']);

    await copy.remove('artifacts');
    const once = await run(async () => ({
      ...watch(remote).watched,
      open: async (key) => {
        if (key.includes('/actions/') && events.every(({ kind }) => kind !== 'note'))
          throw new Error('a hiccup');
        return remote.open(key);
      },
    }));
    expect(once).toMatchObject({ outcome: 'ok', ran: ['a'], cached: ['b'] });
    expect(warnings()[0]).toBe('not fetched, so it runs: a hiccup');
  });
});

test.skipIf(s3Missing !== undefined)(
  `${s3Title}: endpoint and region come from ~/.aws/config too, and the bucket goes into the path`,
  async () => {
    const project = await createCopy();
    await project.run();
    const settings = await makeStorage('s3');
    const { endpoint, signatures } = await breakConnections(0);
    const server = process.env.AWS_ENDPOINT_URL;
    onTestFinished(() => {
      Object.assign(process.env, { AWS_ENDPOINT_URL: server });
      delete process.env.AWS_CONFIG_FILE;
    });
    delete process.env.AWS_ENDPOINT_URL;
    const file = project.at('aws-config');
    for (const [i, { text, region }] of [
      { text: `[default]\nendpoint_url = ${endpoint}\nregion = eu-west-3\n`, region: 'eu-west-3' },
      // Storage elsewhere has no regions.
      {
        text: `[default]\nservices = lab\n[services lab]\ns3 =\n  endpoint_url = ${endpoint}\n`,
        region: 'us-east-1',
      },
    ].entries()) {
      // Read once and kept by its path.
      process.env.AWS_CONFIG_FILE = `${file}-${i}`;
      await project.write(`aws-config-${i}`, text);
      const before = signatures.length;
      expect(statesOf(await push(project, await openRemote(settings, project.root)))).toBe(
        i === 0 ? 'a pushed, b pushed' : 'a present, b present',
      );
      const seen = signatures.slice(before);
      expect(seen.length).toBeGreaterThan(3);
      expect(seen.filter((one) => !one.includes(`/${region}/s3/`))).toEqual([]);
    }
  },
);

test('a record that is pushed does not tell where data are on this machine', async () => {
  const project = await createProject();
  const data = await createProject();
  await data.write('d.txt', 'data');
  project.define([
    {
      id: 's',
      run: ['sh', '-ec', 'cat "$REPRO_INPUT_0" > "$REPRO_OUTPUT_0"'],
      inputs: [{ path: data.at('d.txt'), external: true }],
      outputs: ['artifacts/s'],
    },
  ]);
  await project.run();
  const settings = await makeStorage('folder');
  await push(project, await openRemote(settings, project.root));
  const texts = filesBelow(settings.address).map((file) => readFileSync(file, 'utf8'));
  expect(texts.filter((text) => text.includes(data.root))).toEqual([]);
  expect(texts.some((text) => text.includes('(outside the project)'))).toBe(true);
});
