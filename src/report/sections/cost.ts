import { isObject } from '../../base/files/shape.ts';
import { capitalise, formatBytes } from '../../base/text.ts';
import type { Cost } from '../../network/cost.ts';
import { DIFFERENCE_LEVEL } from '../../verdicts/contrasts.ts';
import { pairedTTest, summarise } from '../../verdicts/stats/means.ts';
import { holmAdjust, stateP } from '../../verdicts/stats/p-values.ts';
import { formatPoints, formatShare, present, spellCount } from '../../verdicts/words.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { ModelResult, Results } from '../data/results.ts';
import { makeTable, numberColumn, type Table, type Text, textColumn } from '../page/document.ts';

/** What the models cost. */
export function tabulateCost({ models, seeds }: Results): Table {
  const rows = models.map((model) => ({ model, costs: costsOf(model) }));
  const group = 'Synaptic operations per clip, millions';
  const millions = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return known.length < values.length ? null : String(Number((summarise(known).mean / 1e6).toPrecision(4)));
  };
  const means = seeds.length > 1 ? `; means over ${spellCount(seeds.length)} seeds` : '';
  const notes = present<Text>(
    [
      `By NeuroBench’s definitions (Yik et al. 2025), on the test clips${means}. Effective operations leave out inputs of 0. MACs multiply and add, as frames and averages need; ACs only add, as spikes need. More: `,
      { code: 'docs/cost.md' },
      '.',
    ],
    rows.some(({ costs }) => costs.some(({ effectiveAcs }) => effectiveAcs === null)) && [
      '–: not measured by webgpu.',
    ],
  );
  return makeTable({ id: 'table-cost', caption: 'Cost', notes }, rows, [
    textColumn('Model', ({ model }) => model.title),
    numberColumn('Test accuracy', ({ model }) => formatShare(accuracyOf(model))),
    numberColumn('Footprint', ({ costs }) => formatBytes(costs[0]?.footprintBytes ?? 0)),
    numberColumn('Activation sparsity', ({ costs }) =>
      formatShare(summarise(costs.map(({ activationSparsity }) => activationSparsity)).mean),
    ),
    numberColumn('Dense', ({ costs }) => millions(costs.map((cost) => cost.denseOperations)), group),
    numberColumn('Effective MACs', ({ costs }) => millions(costs.map((cost) => cost.effectiveMacs)), group),
    numberColumn('Effective ACs', ({ costs }) => millions(costs.map((cost) => cost.effectiveAcs)), group),
  ]);
}

/**
 * What the models with one τ per neuron cost beside the first model, if that has one per layer and is as large, and how their accuracy
 * differs. Effective operations are compared seed by seed, as relative changes.
 */
export function answerCost({ models, seeds }: Results): Text {
  const [first, ...others] = models;
  if (first === undefined || tauOf(first) !== 'layer') return [];
  const denseOf = (model: ModelResult) => costsOf(model)[0]?.denseOperations;
  const arms = others.filter((model) => tauOf(model) === 'neuron' && denseOf(model) === denseOf(first));
  if (arms.length === 0) return [];
  const memoryOf = (model: ModelResult) => costsOf(model)[0]?.footprintBytes ?? 0;
  const times = (Math.max(...arms.map(memoryOf)) / memoryOf(first)).toFixed(1);
  const memory = `One τ per neuron takes ${times} times the memory of one per layer`;
  const before = operationsOf(first);
  const relative = arms.map((model) => operationsOf(model).map((count, seed) => count / before[seed]! - 1));
  if (relative.flat().some(Number.isNaN))
    return [{ strong: `${memory}.` }, ' Effective synaptic operations were not measured.'];
  const tests = relative.map(pairedTTest);
  const adjusted = holmAdjust(tests.map(({ p }) => p ?? 1));
  const isTested = seeds.length >= SEEDS_FOR_INTERVAL;
  const changes = arms.map((model, i) => {
    const { mean, p } = tests[i]!;
    const size = `${(100 * Math.abs(mean)).toFixed(1)}\u00a0% ${mean < 0 ? 'fewer' : 'more'}`;
    const chance = isTested && p !== null ? `, ${stateP(adjusted[i]!)}` : '';
    const accuracy = formatPoints(accuracyOf(model) - accuracyOf(first));
    return `${model.title} ${size}${chance} (accuracy ${accuracy})`;
  });
  const list = ` Effective operations beside ${first.title}: ${changes.join('; ')}.`;
  const count = spellCount(seeds.length);
  if (!isTested) {
    const doubt = `${seeds.length === 1 ? 'seed does' : 'seeds do'} not tell whether that is chance.`;
    return [{ strong: `${memory}.` }, `${list} ${capitalise(count)} ${doubt}`];
  }
  const isClear = adjusted.some((p) => p <= DIFFERENCE_LEVEL);
  const verdict = isClear ? 'it changes' : 'it does not clearly change';
  return [
    { strong: `${memory}; ${verdict} the number of synaptic operations.` },
    `${list} p: paired t test over ${count} seeds, Holm-corrected.`,
  ];
}

/** The cost of each run, in the order of the seeds. */
function costsOf({ runs }: ModelResult): Cost[] {
  return runs.map(({ cost }) => cost);
}

/** Effective operations per clip of each run; NaN if its engine did not count. */
function operationsOf(model: ModelResult): number[] {
  return costsOf(model).map(
    ({ effectiveMacs, effectiveAcs }) => (effectiveMacs ?? Number.NaN) + (effectiveAcs ?? Number.NaN),
  );
}

function accuracyOf({ runs }: ModelResult): number {
  return summarise(runs.map(({ test }) => test.accuracy)).mean;
}

function tauOf({ runs }: ModelResult): unknown {
  const tau = runs[0]?.network.tau;
  return isObject(tau) ? tau.per : undefined;
}
