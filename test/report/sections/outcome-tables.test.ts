import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Judgement } from '../../../src/report/claims/judgement.ts';
import { readModel } from '../../../src/report/collect.ts';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import { listDeviations } from '../../../src/report/data/settings.ts';
import { tabulateOutcomes, tabulateSeeds } from '../../../src/report/sections/outcome-tables.ts';
import { describeSettings, tabulateSettings } from '../../../src/report/sections/settings.ts';
import type { Verdict } from '../../../src/verdicts/verdicts.ts';
import { NMNIST } from '../../support/datasets.ts';
import { makeClaim } from '../claims/judging.ts';
import {
  FRAMES,
  makeModelResult,
  makeResults,
  makeRunResult,
  resultsOf,
  spaced,
  split,
  textsOf,
} from '../result-values.ts';

const configs = join(import.meta.dirname, '../../../configs/models');
const outcomes = (results = makeResults(), verdict: Verdict | null = null) =>
  tabulateOutcomes(results, summariseModels(results), verdict === null ? [] : [judgementOf(verdict)]);

/** Of the baseline's published test accuracy. */
const judgementOf = (verdict: Verdict): Judgement => ({
  claim: makeClaim({
    published: { share: 0.955, correct: 275, clips: 288 },
    measure: { kind: 'accuracy', model: 'Baseline', split: 'test', epoch: 'maximum' },
  }),
  verdict,
  measured: '',
  reason: '',
});

describe('table 1', () => {
  it('shows published accuracies beside both choices of the epoch', () => {
    const row = ['Baseline', '95.5 %', '100.0 %', '90.0 %', '90.0 %', '92.0 %', '90.0 %'];
    expect(textsOf(outcomes())).toEqual([row]);
    expect(textsOf(outcomes(makeResults(), 'inconclusive'))).toEqual([[...row, 'inconclusive']]);
    expect(textsOf(outcomes(makeResults(), 'not-applicable'))).toEqual([row]);
  });

  it('shows interval, clips and epoch below each accuracy', () => {
    // binomtest(90, 100).proportion_ci(0.95, 'wilson') is 0.8256 to 0.9448. The four users have 23, 23, 22 and 22 of 25 right: a standard
    // error of 0.0231 / √4, times t(0.975, 3) = 3.182.
    expect(outcomes().rows[0]?.[3]?.details?.map(spaced)).toEqual([
      '82.6–94.5 %',
      '86.3–93.7 % over users',
      '90 of 100',
      'epoch 2',
    ]);
    expect(outcomes().rows[0]?.[1]?.details).toEqual(['275 of 288']);
  });

  it('has nothing published beside simulated or other data', () => {
    for (const [results, where] of [
      [makeResults({ simulated: true }), 'on simulated data'],
      [makeResults({ dataset: NMNIST }), 'on other data'],
    ] as const) {
      const table = outcomes(results);
      expect(table.caption).toBe(`Accuracy of each model, ${where}`);
      expect(table.columns.map(({ label }) => label)).toEqual([
        'Model',
        'Test',
        'Validation',
        'Test',
        'Validation',
      ]);
      expect(textsOf(table)).toEqual([['Baseline', '90.0 %', '90.0 %', '92.0 %', '90.0 %']]);
      expect(JSON.stringify(table)).not.toMatch(/95\.5|275 of 288|[Pp]ublished/);
      expect(JSON.stringify(table.notes)).toContain('measured on other data');
    }
  });

  it('shows accuracy A of Fang et al. only beside runs that held no clips back, the thesis’ only beside others', () => {
    const fang = { source: 'fang', name: 'LIF', test: 0.9688, validation: null } as const;
    const { published: thesis } = makeModelResult();
    const tableOf = (published: typeof fang | typeof thesis, validation: number) => {
      const runs = [makeRunResult({ clips: { train: 1000, validation, test: 288 } })];
      return outcomes(makeResults({ models: [makeModelResult({ published, runs })] }));
    };
    const cells = (...of: Parameters<typeof tableOf>) => tableOf(...of).rows[0]?.slice(1, 3);
    const missing = { text: '–', tone: 'missing' };
    expect(cells(fang, 0)).toEqual([
      { text: '96.9\u00a0%', details: ['279 of 288', 'Fang et al. 2021'] },
      missing,
    ]);
    expect(cells(fang, 100)).toEqual([missing, missing]);
    expect(cells(thesis, 100)?.map(({ text }) => spaced(text))).toEqual(['95.5 %', '100.0 %']);
    expect(cells(thesis, 0)).toEqual([missing, missing]);
    expect(JSON.stringify(tableOf(thesis, 0).notes)).toContain('15 % in the thesis');
  });

  it('shows mean and range over several seeds, and counts clips once', () => {
    const results = resultsOf({ test: split(80, 100) }, { test: split(90, 100) });
    const cell = outcomes(results).rows[0]?.[3];
    expect(spaced(cell?.text ?? '')).toBe('85.0 %');
    // binomtest(85, 100).proportion_ci(0.95, 'wilson') is 0.7672 to 0.9069.
    expect(cell?.details?.map(spaced)).toEqual([
      '76.7–90.7 %',
      '86.3–93.7 % over users',
      '80.0–90.0 % over seeds',
      '100 clips',
    ]);
    expect(textsOf(tabulateSeeds(summariseModels(results))).map((row) => row.slice(0, 4))).toEqual([
      ['Baseline', '2020', '2', '80.0 %'],
      ['Baseline', '2021', '2', '90.0 %'],
      ['Baseline', 'mean', '–', '85.0 %'],
    ]);
  });

  it('shows Student’s interval of the mean from three seeds on, within what an accuracy can be', () => {
    const results = resultsOf(...[90, 94, 98].map((correct) => ({ test: split(correct, 100) })));
    // t(0.975, 2) = 4.3027, deviation 4: 94 ± 9.94, of which 100 is the limit.
    expect(outcomes(results).rows[0]?.[3]?.details?.map(spaced)).toContain('84.1–100.0 % over seeds');
    expect(spaced(JSON.stringify(outcomes(results).notes))).toContain(
      'its 95 % interval over seeds (Student)',
    );
    const [test] = tabulateSeeds(summariseModels(results)).rows.at(-1)?.slice(3) ?? [];
    expect(test?.details?.map(spaced)).toEqual(['84.1–100.0 %']);
  });
});

describe('the settings table', () => {
  const scaledModel = (id: string, per: string) =>
    makeModelResult({
      id,
      title: id,
      published: { source: 'thesis', name: id, test: 0.951, validation: 0.992 },
      runs: [
        makeRunResult({
          network: { channels: 8, tau: { per }, pooling: 'max' },
          training: { epochs: 12, regulariseTau: 0 },
          frames: { ...FRAMES, steps: 8, height: 32, width: 32 },
          clips: { train: 900, validation: 156, test: 288 },
        }),
      ],
    });
  const scaled = makeResults({
    models: [scaledModel('Baseline', 'layer'), scaledModel('No Reg.', 'neuron')],
  });

  it('lists what differs from the thesis', () => {
    expect(listDeviations(scaled).map(({ label, thesis, used }) => [label, spaced(thesis), used])).toEqual([
      ['Time steps per clip', '20', '8'],
      ['Frame size, pixels', '128 × 128', '32 × 32'],
      ['Channels per layer', '128', '8'],
      ['Epochs', '1 256', '12'],
    ]);
  });

  it('marks what differs, and names models only if they differ from each other', () => {
    const row = (label: string) => tabulateSettings(scaled).rows.find(([head]) => head?.text === label);
    expect(row('Channels per layer')?.[2]).toEqual({ text: '8', tone: 'differs' });
    expect(row('Pooling')?.[2]).toEqual({ text: 'maximum' });
    expect(row('One time constant per')?.[1]).toEqual({ text: 'layer (Baseline); neuron (No Reg.)' });
  });

  it('compares with the thesis whatever the model’s own file contains', async () => {
    const edited = parse(await readFile(join(configs, 'baseline.yaml'), 'utf8'));
    edited.train.epochs = 600;
    const runs = [
      makeRunResult({ network: edited.network, training: { ...edited.train, regulariseTau: 0 } }),
    ];
    const model = readModel(edited, 'baseline', runs);
    expect(listDeviations(makeResults({ models: [model] })).map(({ label }) => label)).toEqual([
      'Epochs',
      'Training clips',
      'Validation clips',
      'Test clips',
    ]);
  });

  it('has no thesis values for a model of one’s own, and does not claim that all settings match', () => {
    const clips = { train: 900, validation: 156, test: 288 };
    const runs = [makeRunResult({ network: { channels: 128 }, training: {}, clips })];
    const mine = makeModelResult({ id: 'mine', title: 'Mine', published: null, runs });
    const summary = (models: readonly (typeof mine)[]) =>
      describeSettings(makeResults({ models })).blocks.flatMap((block) =>
        block.kind === 'paragraph' ? block.text : [],
      )[0];
    const thesisOf = (models: readonly (typeof mine)[]) =>
      tabulateSettings(makeResults({ models })).rows.find(
        ([label]) => label?.text === 'Channels per layer',
      )?.[1];

    expect(thesisOf([mine])).toEqual({ text: '–', tone: 'missing' });
    expect(summary([mine])).toBe(
      'No setting differs from the thesis, as far as they can be compared. Mine is not a model of the thesis, so its network and training cannot be compared.',
    );
    const both = [makeModelResult({ runs }), mine];
    expect(thesisOf(both)).toEqual({ text: '128' });
    expect(summary(both)).toContain('Mine is not a model of the thesis');
    expect(summary([makeModelResult({ runs })])).toBe('Every setting matches the thesis.');
  });

  it('compares a network of Fang et al. with what they published', async () => {
    const published = { source: 'fang', name: 'LIF with τ = 16', test: 0.7674, validation: null } as const;
    const network = { ...parse(await readFile(join(configs, 'lif-16.yaml'), 'utf8')).network };
    const clips = { train: 1176, validation: 0, test: 288 };
    const runs = [makeRunResult({ network, training: { epochs: 3, validationShare: 0 }, clips })];
    const results = makeResults({ models: [makeModelResult({ published, runs })] });
    const table = tabulateSettings(results);
    expect(table.columns[1]?.label).toBe('Thesis and Fang et al. 2021');
    const row = (label: string) => table.rows.find(([head]) => head?.text === label)?.slice(1);
    expect(row('Neuron')).toEqual([{ text: 'LIF' }, { text: 'LIF' }]);
    expect(row('Initial τ: mean, time steps')).toEqual([{ text: '16' }, { text: '16' }]);
    expect(listDeviations(results).map(({ label }) => label)).toEqual(['Epochs', 'Training clips']);
    expect(row('Training clips')?.map((cell) => cell?.text)).toEqual(['936', '1\u202f176']);
  });
});
