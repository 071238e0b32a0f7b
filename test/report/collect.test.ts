import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { collectResults, type Sources } from '../../src/report/collect.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { QUICK, writeMadeUpResults } from './made-up-results.ts';

const MADE = { ...QUICK, models: ['baseline', 'no-reg'], epochs: 3 };

let folder: string;
let sources: Sources;
beforeEach(async () => {
  folder = await temporaryFolder();
  sources = await writeMadeUpResults(folder, MADE);
});

const file = (kind: 'train' | 'evaluate', name: string): string =>
  join(sources[kind], 'baseline', '2020', name);

/** Sets fields of a JSON file; `undefined` removes one. */
async function alter(path: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...fields }));
}

async function failure(selection = MADE): Promise<ReproError> {
  const error: unknown = await collectResults(sources, selection).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ReproError)) throw new Error(`expected a ReproError, got ${String(error)}`);
  return error;
}

describe('collectResults', () => {
  it('combines training, evaluation, verification and configuration, and counts epochs from 1, as people do', async () => {
    const results = await collectResults(sources, MADE);
    expect(results.simulated).toBe(true);
    expect(results.classes).toHaveLength(11);
    expect(results.models.map(({ id }) => id)).toEqual(['baseline', 'no-reg']);
    const [baseline] = results.models;
    expect(baseline?.published).toEqual({ source: 'thesis', name: 'Baseline', test: 0.955, validation: 1 });
    const [run] = baseline?.runs ?? [];
    expect(run?.clips).toEqual(MADE.clips);
    expect(run?.metrics.layers).toHaveLength(6);
    expect(results.manifest.splits.train).toEqual({ recordings: 16, clips: 192 });
    expect(run?.metrics.epochs).toEqual([1, 2, 3]);
    const { checkpoint } = JSON.parse(await readFile(file('evaluate', 'evaluation.json'), 'utf8'));
    expect(run?.chosenEpoch).toBe(checkpoint.epoch + 1);
  });

  it('opens only runs that the profile lists', async () => {
    await rm(join(sources.train, 'no-reg'), { recursive: true });
    await writeFile(join(sources.evaluate, 'no-reg', '2020', 'evaluation.json'), 'left from another profile');
    const results = await collectResults(sources, { models: ['baseline'], seeds: [2020] });
    expect(results.models).toHaveLength(1);
  });

  it('says which file is truncated or missing, and which command makes it', async () => {
    await writeFile(file('train', 'run.json'), '{"version": 1');
    expect((await failure()).message).toContain('the file is not valid JSON');
    await rm(file('train', 'metrics.csv'));
    const error = await failure();
    expect(error.code).toBe('results-invalid');
    expect(error.where).toBe(file('train', 'metrics.csv'));
    expect(error.message).toBe('the file is missing');
    expect(error.fix).toContain('repro run train@baseline,2020 --force');
  });

  it.each(
    Object.entries<[kind: 'train' | 'evaluate' | 'verify', name: string, fields: object, message: string]>({
      'with a field of another kind, which it names with the expected and the actual value': [
        'evaluate',
        'evaluation.json',
        { test: { clips: 96, correct: 'many', accuracy: 0.5, loss: 0 } },
        'field "test.correct": expected a whole number from 0, found "many"',
      ],
      'whose confusion matrix has a different number of clips': [
        'evaluate',
        'evaluation.json',
        { confusion: new Array(11).fill(new Array(11).fill(0)) },
        'field "confusion" is not what predictions.csv gives',
      ],
      'whose confusion matrix is ragged': [
        'evaluate',
        'evaluation.json',
        { confusion: [[1, 0], [1]] },
        'field "confusion" is not what predictions.csv gives',
      ],
      'of another seed than that of its folder': [
        'train',
        'run.json',
        { seed: 7 },
        'field "seed" is 7, but its folder is for seed 2020',
      ],
      'of an unknown version': ['verify', 'manifest.json', { version: 2 }, '"version": expected 1, found 2'],
    }),
  )('rejects a file %s', async (_, [kind, name, fields, message]) => {
    const path = kind === 'verify' ? join(sources.verify, name) : file(kind, name);
    await alter(path, fields as Record<string, unknown>);
    const error = await failure();
    expect(error.message).toContain(message);
    expect(error.where).toBe(path);
  });

  it('names a missing example', async () => {
    await rm(join(sources.examples, '03.npy'));
    expect(await failure()).toMatchObject({
      code: 'results-invalid',
      where: join(sources.examples, '03.npy'),
    });
  });

  it('reads how the epoch was chosen, and the switches', async () => {
    const [model] = (await collectResults(sources, MADE)).models;
    expect(model?.runs[0]).toMatchObject({ chosenOn: 'validation', compat: { trials: 'all' } });
    const choose = (selection: string) =>
      alter(file('evaluate', 'evaluation.json'), { checkpoint: { selection, epoch: 0 } });
    await choose('last');
    expect((await collectResults(sources, MADE)).models[0]?.runs[0]?.chosenOn).toBe(null);
    await choose('best-test');
    expect((await collectResults(sources, MADE)).models[0]?.runs[0]?.chosenOn).toBe('test');
    await choose('nicest');
    expect((await failure()).message).toContain('field "checkpoint.selection": expected "validation"');
  });

  it('shows a gap where a training diverged', async () => {
    const text = await readFile(file('train', 'metrics.csv'), 'utf8');
    const lines = text
      .split('\n')
      .map((line, i) => (i === 2 ? line.replace(/^1,[^,]*,[^,]*/, '1,0.1,NaN') : line));
    await writeFile(file('train', 'metrics.csv'), lines.join('\n'));
    const metrics = (await collectResults(sources, MADE)).models[0]?.runs[0]?.metrics;
    expect(metrics?.loss.train).toEqual([expect.any(Number), null, expect.any(Number)]);
  });

  it('gives τ at the mean of w, and a gap for a fixed τ of 1', async () => {
    const text = await readFile(file('train', 'metrics.csv'), 'utf8');
    const [head = '', first = '', ...rest] = text.split('\n');
    const cells = first.split(',');
    const columns = head.split(',');
    cells[columns.indexOf('w_mean.0')] = '-0.6931471805599453';
    cells[columns.indexOf('w_mean.1')] = '';
    await writeFile(file('train', 'metrics.csv'), [head, cells.join(','), ...rest].join('\n'));
    const layers = (await collectResults(sources, MADE)).models[0]?.runs[0]?.metrics.layers;
    expect(layers?.slice(0, 2).map(({ tauOfMean }) => tauOfMean[0])).toEqual([3, null]);
  });
});
