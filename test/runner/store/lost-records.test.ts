import { expect, test } from 'vitest';
import { fileNameOf } from '../../../src/runner/store/cache-folder.ts';
import type { RunRecord } from '../../../src/runner/store/records.ts';
import { findLostRecords, findLostSources } from '../../../src/runner/store/verify-store.ts';

const base: RunRecord = {
  version: 1,
  id: 'train',
  stage: 'train',
  fingerprint: '0'.repeat(64),
  parts: {
    version: 1,
    matrix: {},
    outputs: [],
    command: { kind: 'command', argv: ['true'] },
    code: {},
    packages: {},
    params: {},
    inputs: [],
    variables: {},
    facts: {},
    runtime: { platform: 'linux', arch: 'x64' },
  },
  outputs: [],
  metrics: {},
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 1,
  peakMemoryBytes: null,
  host: 'h',
  node: '22',
  commit: null,
  dirty: null,
  profile: 'quick',
};
const recordsOf = (...all: readonly Partial<RunRecord>[]) => ({
  listActions: () => all.map((one) => ({ ...base, ...one })),
  listLast: () => [],
});

test('a record is lost if no other of its instance is left, also under a name that was encoded', () => {
  const removed = ['report', 'Train/A', 'frames'].map((id) => `/cache/records/${fileNameOf(id)}.json`);
  expect(findLostRecords(removed, ['Train/A', 'frames'], recordsOf({ id: 'frames' }))).toEqual([
    'Train/A',
    'report',
  ]);
});

test('a removed source text is told with the instances that ran with it', () => {
  const [gone, there] = ['a'.repeat(64), 'b'.repeat(64)];
  const records = recordsOf(
    { id: 'train', sources: { 'src/loop.ts': gone ?? '', 'src/step.ts': there ?? '' } },
    { id: 'evaluate', sources: { 'src/loop.ts': gone ?? '' } },
    { id: 'report' },
  );
  expect(findLostSources([`/cache/store/files/aa/${gone}`], records)).toEqual([
    { source: 'src/loop.ts', ids: ['evaluate', 'train'] },
  ]);
});
