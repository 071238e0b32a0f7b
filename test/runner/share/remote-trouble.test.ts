import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/base/files/canonical-json.ts';
import { openRemote } from '../../../src/runner/share/open-remote.ts';
import { createFetchStage } from '../../../src/runner/share/pull.ts';
import { actionKeyOf, fileKeyOf, treeKeyOf } from '../../../src/runner/share/remote.ts';
import { digestTree } from '../../../src/runner/store/digest.ts';
import { findInconsistencies } from '../rig/crash/checks.ts';
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

/** Of `one`, the content of files that `a` makes. */
const sha256OfOne = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';

describe.each(kinds)('a remote cache in $title', ({ kind, isMissing }) => {
  const check = test.skipIf(isMissing);

  check.each([
    ['with other content', 'ONE'],
    ['cut off', 'on'],
  ])('is not believed if a file in it is %s; the file is named and replaced', async (_, content) => {
    const { project, remote } = await createPushed(kind);
    await remote.write(fileKeyOf(sha256OfOne), content);
    const copy = await createCopy();
    const [a, b] = await pull(copy, remote);
    expect(a).toMatchObject({
      state: 'failed',
      error: { code: 'remote-damaged', where: `${remote.address}/${fileKeyOf(sha256OfOne)}` },
    });
    expect(b).toMatchObject({ state: 'fetched', restored: ['artifacts/b.txt'] });
    expect(copy.has('artifacts/a')).toBe(false);
    expect(findInconsistencies(copy.root)).toEqual([]);
    // One of the right size is to be removed by hand.
    const isSeen = content.length !== 'one'.length;
    const pushed = await push(project, remote);
    expect(pushed.flatMap(({ replaced }) => replaced)).toEqual(isSeen ? [fileKeyOf(sha256OfOne)] : []);
    if (!isSeen) return;
    expect(statesOf(await pull(copy, remote))).toBe('a fetched, b present');
    expect(copy.read('artifacts/a/x')).toBe('one');
  });

  check('is not believed if a list or a record in it is not what its name says', async () => {
    const { project, remote } = await createPushed(kind);
    const [a, b] = [await recordOf(project, 'a'), await recordOf(project, 'b')];
    const treeKey = treeKeyOf(a.outputs[0]?.digest ?? '');
    const actionKey = actionKeyOf(a.fingerprint);
    const outside = { entries: [{ path: '../../evil', size: 3, sha256: a.fingerprint }], emptyFolders: [] };
    const evil = { ...a, outputs: [{ ...a.outputs[0], digest: digestTree(outside) }] };
    await remote.write(treeKeyOf(digestTree(outside)), canonicalJson(outside));
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const elsewhere = { ...a, outputs: [{ ...a.outputs[0], path: 'in.txt' }] };
    for (const [key, content, what] of [
      [treeKey, '', 'it is not a list of files'],
      [treeKey, '{"entries":[],"emptyFolders":[]}', 'its content does not match its name'],
      [actionKey, '{"version":1', 'it is not a record'],
      [actionKey, JSON.stringify(b), 'it is the record of another fingerprint'],
      [
        actionKey,
        JSON.stringify({ ...b, fingerprint: a.fingerprint }),
        'it is the record of another fingerprint',
      ],
      [actionKey, JSON.stringify(elsewhere), 'its outputs differ from those of the stage'],
      [actionKey, JSON.stringify(evil), 'it is not a list of files'],
      [actionKey, JSON.stringify(a).replace('"params":{', `$&"deep":${deep},`), 'it is not a record'],
      [actionKey, JSON.stringify(a).replace('{', `$&"more":${deep},`), 'it is not a record'],
      [treeKey, `{"entries":[],"emptyFolders":[],"more":${deep}}`, 'it is not a list of files'],
      [actionKey, JSON.stringify({ ...a, seconds: 1e307 }), 'it is not a record'],
      [actionKey, JSON.stringify(a).replace('"metrics":{', '$&"loss":1e999,'), 'it is not a record'],
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
  });

  check.each([
    ['a file with a file below it', ['a', 'a-b', 'a/b'], []],
    ['a file twice', ['a', 'a'], []],
    ['a file that is also an empty folder', ['a'], ['a']],
    ['a name of 256 bytes', ['é'.repeat(128)], []],
    ['files that are not sorted', ['b', 'a'], []],
    ['files that are sorted by folder', ['a/b', 'a-b'], []],
    ['empty folders that are not sorted', [], ['b', 'a']],
  ])('is not believed if a list in it has %s, which no folder gives', async (_, paths, emptyFolders) => {
    const { project, remote } = await createPushed(kind);
    const a = await recordOf(project, 'a');
    const entries = paths.map((path) => ({ path, size: 'one'.length, sha256: sha256OfOne }));
    const tree = { entries, emptyFolders };
    const digest = digestTree(tree);
    const outputs = [{ ...a.outputs[0], digest, sizeBytes: 3 * paths.length, files: paths.length }];
    await remote.write(treeKeyOf(digest), JSON.stringify(tree));
    await remote.write(actionKeyOf(a.fingerprint), JSON.stringify({ ...a, outputs }));
    const copy = await createCopy();
    const fetchStage = createFetchStage(
      async () => remote,
      () => {},
    );
    // Nothing of it may stay behind for a later run.
    for (const options of [{ fetchStage }, {}]) {
      const { outcome } = await copy.run(options);
      expect(outcome).toBe('ok');
      expect(copy.read('artifacts/a/x')).toBe('one');
    }
    expect((await copy.run()).ran).toEqual([]);
  });

  check(
    'is completed by the next push if one is interrupted, and the next pull fetches only the rest',
    async () => {
      const { project, remote } = await createRun(kind);
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
