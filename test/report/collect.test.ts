import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReproError } from '../../src/errors.ts';
import { collectResults, type Sources } from '../../src/report/collect.ts';
import { QUICK, writeMadeUpResults } from './made-up-results.ts';

const MADE = { ...QUICK, models: ['baseline', 'no-reg'], epochs: 3 };

let folder: string;
let sources: Sources;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
  sources = await writeMadeUpResults(folder, MADE);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (kind: 'train' | 'evaluate', name: string): string =>
  join(sources[kind], 'baseline', '2020', name);

async function alter(path: string, change: (value: Record<string, unknown>) => void): Promise<void> {
  const value = JSON.parse(await readFile(path, 'utf8'));
  change(value);
  await writeFile(path, JSON.stringify(value));
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
  it('combines training, evaluation, verification and configuration', async () => {
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
  });

  it('counts the files in an archive, not the archive itself', async () => {
    const before = (await collectResults(sources, MADE)).manifest;
    await alter(join(sources.verify, 'manifest.json'), (value) => {
      const file = { path: 'DvsGesture.tar.gz', sizeBytes: 9e9, md5: '', status: 'archive' };
      value.files = [file, ...(value.files as unknown[])];
    });
    const { files, sizeBytes } = (await collectResults(sources, MADE)).manifest;
    expect([files, sizeBytes]).toEqual([before.files, before.sizeBytes]);
  });

  it('counts epochs from 1, as people do', async () => {
    const [model] = (await collectResults(sources, MADE)).models;
    expect(model?.runs[0]?.metrics.epochs).toEqual([1, 2, 3]);
    const { checkpoint } = JSON.parse(await readFile(file('evaluate', 'evaluation.json'), 'utf8'));
    expect(model?.runs[0]?.chosenEpoch).toBe(checkpoint.epoch + 1);
  });

  it('opens only runs that the profile lists', async () => {
    await rm(join(sources.train, 'no-reg'), { recursive: true });
    await writeFile(join(sources.evaluate, 'no-reg', '2020', 'evaluation.json'), 'left from another profile');
    const results = await collectResults(sources, { models: ['baseline'], seeds: [2020] });
    expect(results.models).toHaveLength(1);
  });

  it('says which file is missing and which command makes it', async () => {
    await rm(file('train', 'metrics.csv'));
    const error = await failure();
    expect(error.code).toBe('results-invalid');
    expect(error.where).toBe(file('train', 'metrics.csv'));
    expect(error.message).toBe('the file is missing');
    expect(error.fix).toContain('repro run train@baseline,2020 --force');
  });

  it('names the field, the expected and the actual value', async () => {
    await alter(file('evaluate', 'evaluation.json'), (value) => {
      value.test = { clips: 96, correct: 'many', accuracy: 0.5, loss: 0 };
    });
    const error = await failure();
    expect(error.message).toBe('field "test.correct": expected a whole number from 0, found "many"');
    expect(error.where).toBe(file('evaluate', 'evaluation.json'));
  });

  it('rejects a confusion matrix with a different number of clips', async () => {
    await alter(file('evaluate', 'evaluation.json'), (value) => {
      value.confusion = Array.from({ length: 11 }, () => new Array(11).fill(0));
    });
    expect((await failure()).message).toBe('field "confusion" is not what predictions.csv gives');
  });

  it('rejects a ragged confusion matrix', async () => {
    await alter(file('evaluate', 'evaluation.json'), (value) => {
      value.confusion = [[1, 0], [1]];
    });
    expect((await failure()).message).toContain('field "confusion[1]": expected a row of 2 numbers');
  });

  it('rejects results that do not match the data set, model or seed of their folder', async () => {
    await alter(file('train', 'run.json'), (value) => {
      value.dataset = 'nmnist';
    });
    expect((await failure()).message).toBe('field "dataset" is "nmnist", expected "dvs128-gesture"');
    await alter(file('train', 'run.json'), (value) => {
      value.dataset = 'dvs128-gesture';
      value.seed = 7;
    });
    expect((await failure()).message).toBe('field "seed" is 7, but its folder is for seed 2020');
  });

  it('rejects real results with a manifest of simulated data', async () => {
    await alter(file('evaluate', 'evaluation.json'), (value) => {
      value.simulated = false;
    });
    expect((await failure()).message).toContain('"simulated" is false, but the manifest says true');
  });

  it('rejects a file with an unknown version', async () => {
    await alter(join(sources.verify, 'manifest.json'), (value) => {
      value.version = 2;
    });
    expect((await failure()).message).toContain('"version" is 2');
  });

  it('rejects examples of other data, and names a missing one', async () => {
    const index = join(sources.examples, 'examples.json');
    await alter(index, (value) => {
      value.simulated = false;
    });
    expect((await failure()).message).toBe('field "simulated" is false, but the manifest says true');
    await alter(index, (value) => {
      value.simulated = true;
      value.dataset = 'nmnist';
    });
    expect((await failure()).message).toBe('field "dataset" is "nmnist", expected "dvs128-gesture"');
    await alter(index, (value) => {
      value.dataset = 'dvs128-gesture';
      value.classes = (value.classes as string[]).toReversed();
    });
    expect(await failure()).toMatchObject({
      message: 'field "classes" differs from that of the runs',
      where: index,
      fix: expect.stringContaining('repro run frames --force'),
    });
    await rm(join(sources.examples, '03.npy'));
    expect(await failure()).toMatchObject({ code: 'clip-examples', where: join(sources.examples, '03.npy') });
  });

  it('reads the clips of each user under each light, which only some data sets have', async () => {
    const { perUserLight } = (await collectResults(sources, MADE)).manifest;
    expect(perUserLight?.user06).toEqual({ led: 24 });
    await alter(join(sources.verify, 'manifest.json'), (value) => {
      delete value.perUserLight;
    });
    expect((await collectResults(sources, MADE)).manifest.perUserLight).toBeUndefined();
  });

  it('reports truncated JSON', async () => {
    await writeFile(file('train', 'run.json'), '{"version": 1');
    expect((await failure()).message).toContain('the file is not valid JSON');
  });

  it('reads how the epoch was chosen, and the switches', async () => {
    const [model] = (await collectResults(sources, MADE)).models;
    expect(model?.runs[0]).toMatchObject({ chosenOn: 'validation', compat: { trials: 'all' } });
    const choose = (selection: string) =>
      alter(file('evaluate', 'evaluation.json'), (value) => {
        value.checkpoint = { selection, epoch: 0 };
      });
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

  it('requires a model and a seed', async () => {
    expect((await failure({ ...MADE, models: [] })).message).toContain('no model or no seed');
  });
});
