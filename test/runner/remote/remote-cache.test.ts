import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ReproError } from '../../../src/errors.ts';
import type { RunRecord } from '../../../src/runner/cache/records.ts';
import { canonicalJson } from '../../../src/runner/canonical-json.ts';
import type { RunEvent } from '../../../src/runner/events.ts';
import { digestTree } from '../../../src/runner/files/digest.ts';
import { createFetchStage } from '../../../src/runner/remote/fetch-stage.ts';
import { openRemote } from '../../../src/runner/remote/open-remote.ts';
import { type PullOptions, pullPlan } from '../../../src/runner/remote/pull-plan.ts';
import { pushPlan } from '../../../src/runner/remote/push-plan.ts';
import { actionKeyOf, fileKeyOf, type Remote, treeKeyOf } from '../../../src/runner/remote/remote.ts';
import { filesBelow, findInconsistencies } from '../rig/crash/checks.ts';
import { createPlan } from '../rig/plan.ts';
import { createProject, type Project } from '../rig/project.ts';
import { breakConnections, makeStorage, s3Missing, s3Title, useS3Server } from './storage.ts';

useS3Server();

const kinds = [
  { kind: 'folder', title: 'a folder', isMissing: false },
  { kind: 's3', title: s3Title, isMissing: s3Missing !== undefined },
] as const;

/** `a` makes a folder, `b` reads a file of it. */
async function createCopy(content = 'one'): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', content);
  project.define([
    {
      id: 'a',
      run: [
        'sh',
        '-ec',
        'mkdir -p "$REPRO_OUTPUT_0/sub"; cat in.txt > "$REPRO_OUTPUT_0/x"; echo yy > "$REPRO_OUTPUT_0/sub/y"; : > "$REPRO_OUTPUT_0/empty"; cat in.txt > "$REPRO_OUTPUT_0/same"',
      ],
      inputs: ['in.txt'],
      outputs: ['artifacts/a'],
    },
    {
      id: 'b',
      run: ['sh', '-ec', 'echo b > "$REPRO_OUTPUT_0"; cat "$REPRO_INPUT_0" >> "$REPRO_OUTPUT_0"'],
      inputs: ['artifacts/a/x'],
      outputs: ['artifacts/b.txt'],
    },
  ]);
  return project;
}

function push(project: Project, remote: Remote, isVerified = false) {
  const plan = createPlan(project.description);
  return pushPlan(plan, { remote, isVerified, facts: {}, selected: new Set(plan.instances.keys()) });
}

function pull(project: Project, remote: Remote, options: Partial<PullOptions> = {}) {
  const plan = createPlan(project.description);
  const all = new Set(plan.instances.keys());
  return pullPlan(plan, { remote, facts: {}, selected: all, named: all, ...options });
}

const statesOf = (all: readonly { id: string; state: string }[]): string =>
  all.map(({ id, state }) => `${id} ${state}`).join(', ');

async function recordOf(project: Project, id: string): Promise<RunRecord> {
  const record = (await project.status()).find((one) => one.id === id)?.record;
  if (record === null || record === undefined) throw new Error(`${id} has no record`);
  return record;
}

/** A remote that counts, and fails from its n-th transfer on. */
function watch(remote: Remote, failAfter = Number.POSITIVE_INFINITY) {
  const seen = { uploads: 0, files: 0 };
  const count = (key: keyof typeof seen): void => {
    seen[key] += 1;
    if (seen.uploads + seen.files > failAfter) throw new Error('the network is gone');
  };
  const watched: Remote = {
    address: remote.address,
    sizeOf: (key) => remote.sizeOf(key),
    open: async (key) => {
      if (key.includes('/files/')) count('files');
      return remote.open(key);
    },
    upload: async (key, file, sizeBytes) => {
      count('uploads');
      await remote.upload(key, file, sizeBytes);
    },
    write: (key, content) => remote.write(key, content),
  };
  return { watched, seen };
}

describe.each(kinds)('a remote cache in $title', ({ kind, isMissing }) => {
  const create = async (content?: string) => {
    const project = await createCopy(content);
    expect((await project.run()).outcome).toBe('ok');
    return { project, remote: await openRemote(await makeStorage(kind), project.root) };
  };

  test.skipIf(isMissing)('gives another copy of the project the results, without running', async () => {
    const { project, remote } = await create();
    expect(statesOf(await push(project, remote))).toBe('a pushed, b pushed');
    const again = watch(remote);
    expect(statesOf(await push(project, again.watched))).toBe('a present, b present');
    expect(again.seen.uploads).toBe(0);

    const copy = await createCopy();
    const pulled = await pull(copy, remote);
    expect(statesOf(pulled)).toBe('a fetched, b fetched');
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
    expect((await pull(copy, remote))[0]?.restored).toEqual(['artifacts/a/x']);
  });

  test.skipIf(isMissing)(
    'has nothing for other inputs, and a stage that is not up to date is not pushed',
    async () => {
      const { project, remote } = await create();
      await push(project, remote);
      const other = await createCopy('other');
      expect(statesOf(await pull(other, remote))).toBe('a absent, b waiting');
      expect(statesOf(await push(other, remote))).toBe('a stale, b stale');
      expect(other.has('artifacts/a')).toBe(false);
    },
  );

  test.skipIf(isMissing)('gives a stage without the files of what it depends on', async () => {
    const { project, remote } = await create();
    await push(project, remote);
    const copy = await createCopy();
    expect(statesOf(await pull(copy, remote, { named: new Set(['b']) }))).toBe('a skipped, b fetched');
    expect(copy.has('artifacts/a')).toBe(false);
    expect(copy.read('artifacts/b.txt')).toBe('b\none');
    expect(filesBelow(copy.at('artifacts/.cache/store/files'))).toHaveLength(1);
  });

  test.skipIf(isMissing).each([
    { what: 'with other content', content: 'ONE', plainPushReplaces: false },
    { what: 'cut off', content: 'on', plainPushReplaces: true },
    { what: 'longer', content: 'one and more', plainPushReplaces: true },
    { what: 'empty', content: '', plainPushReplaces: true },
  ])(
    'is not believed if a file in it is $what; the file is named and replaced',
    async ({ content, plainPushReplaces }) => {
      const { project, remote } = await create();
      await push(project, remote);
      const sha256 = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';
      await remote.write(fileKeyOf(sha256), content);
      const copy = await createCopy();
      const [a, b] = await pull(copy, remote);
      expect(a).toMatchObject({
        state: 'failed',
        error: { code: 'remote-damaged', where: `${remote.address}/${fileKeyOf(sha256)}` },
      });
      expect(b?.state).toBe('waiting');
      expect(copy.has('artifacts/a')).toBe(false);
      expect(findInconsistencies(copy.root)).toEqual([]);

      const plain = await push(project, remote);
      expect(plain.flatMap(({ replaced }) => replaced)).toEqual(plainPushReplaces ? [fileKeyOf(sha256)] : []);
      const verified = await push(project, remote, true);
      expect(verified.flatMap(({ replaced }) => replaced)).toEqual(
        plainPushReplaces ? [] : [fileKeyOf(sha256)],
      );
      expect(statesOf(await pull(copy, remote))).toBe('a fetched, b fetched');
      expect(copy.read('artifacts/a/x')).toBe('one');
    },
  );

  test.skipIf(isMissing)(
    'is not believed if a list or a record in it is not what its name says',
    async () => {
      const { project, remote } = await create();
      await push(project, remote);
      const [a, b] = [await recordOf(project, 'a'), await recordOf(project, 'b')];
      const treeKey = treeKeyOf(a.outputs[0]?.digest ?? '');
      const actionKey = actionKeyOf(a.fingerprint);
      const outside = { entries: [{ path: '../../evil', size: 3, sha256: a.fingerprint }], emptyFolders: [] };
      const evil = { ...a, outputs: [{ ...a.outputs[0], digest: digestTree(outside) }] };
      await remote.write(treeKeyOf(digestTree(outside)), canonicalJson(outside));
      const elsewhere = { ...a, outputs: [{ ...a.outputs[0], path: 'in.txt' }] };
      for (const [key, content, what] of [
        [treeKey, '', 'it is no list of files'],
        [treeKey, '{"entries":[],"emptyFolders":[]}', 'it is not the list that its name says'],
        [actionKey, '{"version":1', 'it is no record'],
        [actionKey, JSON.stringify(b), 'it is the record of something else'],
        [
          actionKey,
          JSON.stringify({ ...b, fingerprint: a.fingerprint }),
          'it is the record of something else',
        ],
        [actionKey, JSON.stringify(elsewhere), 'its outputs are not those of the stage'],
        [actionKey, JSON.stringify(evil), 'it is no list of files'],
      ] as const) {
        await remote.write(key, content);
        const copy = await createCopy();
        const pulled = await pull(copy, remote);
        expect(pulled[0]?.error, what).toMatchObject({
          code: 'remote-damaged',
          message: expect.stringContaining(what),
        });
        expect(copy.read('in.txt')).toBe('one');
        await push(project, remote);
        expect(statesOf(await pull(copy, remote)), what).toBe('a fetched, b fetched');
      }
    },
  );

  test.skipIf(isMissing)(
    'is completed by the next push if one is interrupted, and the next pull fetches only the rest',
    async () => {
      const { project, remote } = await create();
      const failing = watch(remote, 2);
      await expect(push(project, failing.watched)).rejects.toThrow('the network is gone');
      const { fingerprint } = await recordOf(project, 'a');
      expect(await remote.sizeOf(actionKeyOf(fingerprint))).toBe(null);
      const rest = watch(remote);
      expect(statesOf(await push(project, rest.watched))).toBe('a pushed, b pushed');
      expect(rest.seen.uploads).toBe(2);

      const copy = await createCopy();
      await expect(pull(copy, watch(remote, 2).watched)).rejects.toThrow('the network is gone');
      expect(findInconsistencies(copy.root)).toEqual([]);
      const later = watch(remote);
      expect(statesOf(await pull(copy, later.watched))).toBe('a fetched, b fetched');
      expect(later.seen.files).toBe(2);
    },
  );

  test.skipIf(isMissing)('takes objects of any size, in parts, and none from a damaged store', async () => {
    const { project, remote } = await create('0123456789abcdef'.repeat(1_500_000));
    await push(project, remote);
    const copy = await createCopy('0123456789abcdef'.repeat(1_500_000));
    expect(statesOf(await pull(copy, remote))).toBe('a fetched, b fetched');
    expect(copy.read('artifacts/a/x')).toBe(project.read('artifacts/a/x'));

    const other = await openRemote(await makeStorage(kind), project.root);
    for (const file of filesBelow(copy.at('artifacts/.cache/store/files'))) {
      if (readFileSync(file, 'utf8').startsWith('yy')) rmSync(file);
    }
    const pushed = await push(copy, other);
    expect(pushed[0]).toMatchObject({ state: 'failed', error: { code: 'store-incomplete' } });
    const { fingerprint } = await recordOf(copy, 'a');
    expect(await other.sizeOf(actionKeyOf(fingerprint))).toBe(null);
  });

  test.skipIf(isMissing)('keeps the results that were there first', async () => {
    const { project, remote } = await create();
    await push(project, remote);
    const other = await createCopy();
    await other.run();
    const record = await recordOf(other, 'b');
    const theirs = {
      ...record,
      outputs: (await recordOf(project, 'a')).outputs.map((one) => ({ ...one, path: 'artifacts/b.txt' })),
    };
    await remote.write(actionKeyOf(record.fingerprint), JSON.stringify(theirs));
    expect(statesOf(await push(other, remote))).toBe('a present, b theirs');
  });

  test.skipIf(isMissing)('is asked by a run first, which runs what is missing or damaged there', async () => {
    const { project, remote } = await create();
    await push(project, remote);
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
    expect(warnings()).toEqual([
      'not fetched, so it runs: no route to host\nNo more is fetched in this run.',
    ]);

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
  `${s3Title}: a connection that breaks midway is made again, and given up in the end`,
  async () => {
    const project = await createCopy('0123456789abcdef'.repeat(10_000));
    await project.run();
    const settings = await makeStorage('s3');
    await push(project, await openRemote(settings, project.root));
    for (const { times, state, ...how } of [
      { times: 3, state: 'a fetched, b fetched' },
      { times: 3, state: 'a fetched, b fetched', share: 0 },
      { times: 3, state: 'a fetched, b fetched', part: '/actions/' },
      { times: 3, state: 'a fetched, b fetched', part: '/trees/', share: 0 },
      { times: 1000, state: null },
    ]) {
      const copy = await createCopy('0123456789abcdef'.repeat(10_000));
      const { endpoint, broken } = await breakConnections(times, how);
      const pulling = pull(copy, await openRemote({ ...settings, endpoint }, copy.root));
      if (state === null) await expect(pulling).rejects.toMatchObject({ code: 'remote-unreachable' });
      else expect(statesOf(await pulling)).toBe(state);
      expect(broken()).toBeGreaterThanOrEqual(3);
      expect(findInconsistencies(copy.root)).toEqual([]);
    }
  },
);

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

test.each(['', 's3://', 's3://UPPER/x', 'http://example.org/x', 'file://host/share', 'gs://bucket'])(
  'an address of a remote cache is not %j',
  async (address) => {
    await expect(openRemote({ address }, '/')).rejects.toMatchObject({ code: 'remote-address' });
  },
);

test('a folder is only made by who writes into it, who also removes what killed uploads left', async () => {
  const { address } = await makeStorage('folder');
  await expect(openRemote({ address }, '/', { isNewAllowed: false })).rejects.toMatchObject({
    code: 'remote-missing',
    message: 'this folder does not exist',
  });
  const remote = await openRemote({ address }, '/');
  const folder = path.join(address, path.dirname(fileKeyOf('a'.repeat(64))));
  mkdirSync(folder, { recursive: true });
  for (const [name, seconds] of [
    ['.old.partial', Date.now() / 1000 - 25 * 3600],
    ['.young.partial', Date.now() / 1000],
  ] as const) {
    writeFileSync(path.join(folder, name), 'half');
    utimesSync(path.join(folder, name), seconds, seconds);
  }
  await remote.write(fileKeyOf('a'.repeat(64)), 'content');
  expect(readdirSync(folder).sort()).toEqual(['.young.partial', 'a'.repeat(64)]);
});

test('a folder whose parent does not exist is probably not mounted', async () => {
  await expect(openRemote({ address: '/nowhere/at/all' }, '/')).rejects.toMatchObject({
    code: 'remote-missing',
  });
});
