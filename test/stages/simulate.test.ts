import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { MetricValue, Progress } from '../../src/runner/stage/define-stage.ts';
import simulate from '../../stages/simulate.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

test('stage simulate writes its output, reports each recording and records metrics', async () => {
  const output = path.join(folder, 'out');
  const progress: Progress[] = [];
  const notes: string[] = [];
  let metrics: Readonly<Record<string, MetricValue>> = {};
  const unexpected = (text: string) => {
    throw new Error(text);
  };
  await simulate.run({
    params: { simulate: { seed: 1, trainUsers: 1, testUsers: 1, lights: ['led'], gestureSeconds: 0.1 } },
    matrix: {},
    facts: {},
    inputs: [],
    outputs: [output],
    resume: [],
    cpus: 1,
    signal: new AbortController().signal,
    progress: (step) => progress.push(step),
    metrics: (values) => {
      metrics = values;
    },
    note: (text) => notes.push(text),
    warn: unexpected,
  });
  expect(await readdir(output)).toEqual(['DvsGesture']);
  expect(progress).toEqual([
    { done: 1, total: 2, unit: 'recordings', note: 'user01_led' },
    { done: 2, total: 2, unit: 'recordings', note: 'user24_led' },
  ]);
  expect(metrics).toMatchObject({ recordings: 2, clips: 24 });
  expect(notes.join()).toMatch(/simulated/);
});
