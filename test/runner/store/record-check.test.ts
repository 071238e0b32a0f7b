import { expect, test } from 'vitest';
import { isRunRecord, type RunRecord } from '../../../src/runner/store/records.ts';

const digest = '0123456789abcdef'.repeat(4);
const output = { path: 'artifacts/a', kind: 'file', digest, sizeBytes: 3, files: 1 } as const;

const record: RunRecord = {
  version: 1,
  id: 'a@1',
  stage: 'a',
  fingerprint: digest,
  parts: {
    version: 1,
    command: { kind: 'command', argv: ['true'] },
    code: {},
    packages: {},
    params: {},
    matrix: {},
    inputs: [{ path: 'in.txt', external: false, digest }],
    outputs: ['artifacts/a'],
    variables: {},
    facts: {},
    runtime: { platform: 'linux', arch: 'x64' },
  },
  outputs: [output],
  metrics: { loss: 0.5, name: 'x', ok: true, none: null },
  startedAt: '2026-11-25T20:00:00.000Z',
  seconds: 1.5,
  peakMemoryBytes: 1e6,
  host: 'here',
  node: '20.19.0',
  commit: 'c0ffee',
  dirty: false,
  profile: 'quick',
};

test('a record of this version is one, with what may be unknown', () => {
  expect(isRunRecord(record)).toBe(true);
  expect(isRunRecord({ ...record, peakMemoryBytes: null, commit: null, dirty: null })).toBe(true);
});

test.each([
  { version: 2 },
  { id: 1 },
  { stage: null },
  { fingerprint: '../../..' },
  { fingerprint: digest.toUpperCase() },
  { parts: { ...record.parts, inputs: [{ path: 'in.txt' }] } },
  { parts: { ...record.parts, outputs: [1] } },
  { outputs: [{ ...output, digest: '../../..' }] },
  { outputs: [{ ...output, path: '../../evil' }] },
  { outputs: [{ ...output, path: '/evil' }] },
  { outputs: [{ ...output, kind: 'link' }] },
  { outputs: [{ ...output, sizeBytes: -1 }] },
  { outputs: [{ ...output, sizeBytes: 1.5 }] },
  { outputs: [{ ...output, sizeBytes: 2 ** 60 }] },
  { outputs: [{ ...output, files: '1' }] },
  { outputs: [null] },
  { outputs: {} },
  { metrics: { loss: { evil: true } } },
  { startedAt: '\u001b]0;evil\u0007' },
  { startedAt: '2026-11-25' },
  { seconds: -1 },
  { seconds: '1' },
  { seconds: 1e307 },
  { totalSeconds: 1e10 },
  { peakMemoryBytes: 1e300 },
  { metrics: { loss: Number.POSITIVE_INFINITY } },
  { peakMemoryBytes: 'much' },
  { host: { evil: true } },
  { node: 20 },
  { commit: '\u001b[2J' },
  { dirty: 'no' },
  { profile: undefined },
])('a record with %j is none', (fields) => {
  expect(isRunRecord({ ...record, ...fields })).toBe(false);
});
