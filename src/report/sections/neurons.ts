import { isObject } from '../../base/files/shape.ts';
import { summarise } from '../../verdicts/stats/means.ts';
import { formatShare, joinWords, present } from '../../verdicts/words.ts';
import { nameDropout, nameEpoch } from '../data/epochs.ts';
import type { ModelResult, Results, RunResult } from '../data/results.ts';
import {
  countLayers,
  distributionsOfTau,
  drawTau,
  drawTauNeurons,
  FEWEST_NEURONS,
  GROUPS_FROM,
} from '../figures/tau.ts';
import {
  type Block,
  makeTable,
  numberColumn,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

// What a figure or table says, before it.
const answer = (text: Text): Block[] => (text.length === 0 ? [] : [{ kind: 'paragraph', text, lead: true }]);

/** The time constants of each layer, if the training recorded them. */
export function describeNeurons(results: Results): Section[] {
  if (countLayers(results) === 0) return [];
  return [
    {
      id: 'time-constants',
      title: 'Time constants',
      blocks: [
        ...answer(answerTau(results)),
        { kind: 'figure', figure: drawTau(results) },
        ...answer(answerGroups(results)),
        ...present(drawTauNeurons(results)).map((figure): Block => ({ kind: 'figure', figure })),
      ],
    },
  ];
}

/** The spikes of each layer, if they were counted. */
export function describeSpikes(results: Results): Section[] {
  if (countLayers(results) === 0) return [];
  return [
    {
      id: 'spikes',
      title: 'Spikes',
      blocks: [...answer(answerSpikes(results)), { kind: 'table', table: tabulateSpikes(results) }],
    },
  ];
}

/** A quantity of one layer of one model. */
interface LayerValue {
  readonly title: string;
  /** From 1. */
  readonly layer: number;
  readonly value: number;
}

/** The means over the seeds of a quantity of each layer that all of them have; without layers that have no value. */
function layersOf(
  { title, runs }: ModelResult,
  pick: (run: RunResult) => readonly (number | null | undefined)[],
): LayerValue[] {
  const lists = runs.map(pick);
  const layers = Math.min(...lists.map(({ length }) => length));
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) => {
    const values = lists.flatMap((list) => list[layer] ?? []);
    return values.length === 0 ? [] : [{ title, layer: layer + 1, value: summarise(values).mean }];
  });
}

/** A sentence on how far training moved the time constants and where they ended; empty without time constants. */
function answerTau({ models }: Results): Text {
  /** τ at the mean of w after the last epoch. */
  const endsOf = (model: ModelResult) =>
    layersOf(model, ({ metrics }) => metrics.layers.map(({ tauOfMean }) => tauOfMean.at(-1)));
  const learning = models.filter(({ runs }) => runs[0]?.network.neuron !== 'lif');
  const ends = learning.flatMap((model) => endsOf(model).map((end) => ({ ...end, from: startOf(model) })));
  if (ends.length === 0) {
    const fixed = models.flatMap((model) => endsOf(model).slice(0, 1));
    const values = new Set(fixed.map(({ value }) => String(Number(value.toPrecision(3)))));
    if (fixed.length === 0) return [];
    return [
      { strong: 'No model learns its time constants' },
      `: they stay at ${joinWords([...values])} steps.`,
    ];
  }
  const distance = ({ value, from }: (typeof ends)[number]) => Math.abs(value - from);
  const most = ends.reduce((far, one) => (distance(one) > distance(far) ? one : far));
  const there = ends.filter(({ layer }) => layer === most.layer);
  const [low, high] = extremesOf(there).map(({ title, value }) => `${value.toFixed(2)} (${title})`);
  return [
    { strong: `Training moved τ by up to ${distance(most).toFixed(2)} time steps` },
    `, in layer ${most.layer} of ${most.title}: from ${most.from.toFixed(2)} to ${most.value.toFixed(2)}.`,
    there.length === 1 ? '' : ` In that layer, τ ends between ${low} and ${high}.`,
  ];
}

/** Whether the neurons of a layer form groups by their τ, which the thesis asks in section 7; empty if no layer has enough of them. */
export function answerGroups(results: Results): Text {
  const found = distributionsOfTau(results).map(({ explained, ...one }) => ({ ...one, value: explained }));
  const all = found.filter(({ neurons }) => neurons >= FEWEST_NEURONS);
  if (all.length === 0) return [];
  const grouped = all.filter(({ value }) => value >= GROUPS_FROM);
  const [least, most] = extremesOf(all);
  return [
    {
      strong:
        grouped.length === 0
          ? 'In no layer do the neurons form two groups by their τ.'
          : `The neurons form two groups by their τ in ${joinWords(grouped.map(({ title, layer }) => `layer ${layer} of ${title}`))}.`,
    },
    ` Divided in two as well as possible, the parts explain ${formatShare(least.value)} (${least.title}, layer ${least.layer}) to ${formatShare(most.value)} (${most.title}, layer ${most.layer}) of the variance of ln τ; from ${100 * GROUPS_FROM}\u00a0% on, they count as two groups.${all.length < found.length ? ` Layers of fewer than ${FEWEST_NEURONS} neurons are left out.` : ''}`,
  ];
}

/** A sentence on the layers that spike most and least on the test clips, on average over the models, and on the models that do. */
function answerSpikes({ models }: Results): Text {
  const rates = models.flatMap((model) =>
    layersOf(model, ({ layers }) => layers.map(({ spikeRate }) => spikeRate)),
  );
  if (rates.length === 0) return [];
  const layers = [...new Set(rates.map(({ layer }) => layer))].map((layer) => ({
    layer,
    value: summarise(rates.filter((rate) => rate.layer === layer).map(({ value }) => value)).mean,
  }));
  const [quiet, busy] = extremesOf(layers);
  const mean = models.length === 1 ? '' : ', on average over the models';
  // As in the table of costs: a large layer counts for more than a small one.
  const shares = models.map(({ title, runs }) => {
    return { title, value: summarise(runs.map(({ cost }) => 1 - cost.activationSparsity)).mean };
  });
  const [sparse, dense] = shares.length < 2 ? [] : extremesOf(shares);
  return [
    {
      strong: `On the test clips, layer ${busy.layer} spikes most, in ${formatShare(busy.value)} of neurons and steps${mean}, and layer ${quiet.layer} least, in ${formatShare(quiet.value)}.`,
    },
    sparse === undefined || dense === undefined
      ? ''
      : ` Over the neurons of all layers, ${sparse.title} spikes least (${formatShare(sparse.value)}), ${dense.title} most (${formatShare(dense.value)}).`,
  ];
}

/** As configured, unless a switch of the published code starts every τ per layer at 2. */
function startOf({ runs }: ModelResult): number {
  const tau = runs[0]?.network.tau;
  const isAlways2 = runs[0]?.compat.base_tau === 'always-2' && isObject(tau) && tau.per === 'layer';
  return isObject(tau) && typeof tau.mean === 'number' && !isAlways2 ? tau.mean : 2;
}

/** The smallest and the largest. @param found at least one */
function extremesOf<T extends { readonly value: number }>(found: readonly T[]): [T, T] {
  const sorted = [...found].sort((a, b) => a.value - b.value);
  return [sorted[0]!, sorted.at(-1)!];
}

/** The spike density of each layer on the test clips, at the chosen epoch. */
export function tabulateSpikes(results: Results): Table {
  const layers = Array.from({ length: countLayers(results) }, (_, layer) => layer);
  const seeds = results.seeds.length;
  const dropout = nameDropout(results);
  const note = `Share of the layer’s neurons that spike in a time step${dropout && ', without dropout'}${seeds > 1 ? `; means over ${seeds} seeds` : ''}. Values in training are of other clips${dropout}.`;
  const caption = `Spike density on the test clips, at the ${nameEpoch(results.models)}`;
  return makeTable({ id: 'table-spikes', caption, notes: [[note]] }, results.models, [
    textColumn('Model', ({ title }) => title),
    layers.map((layer) =>
      numberColumn(`Layer ${layer + 1}`, ({ runs }) => {
        const rates = runs.flatMap((run) => run.layers[layer]?.spikeRate ?? []);
        return rates.length === 0 ? null : formatShare(summarise(rates).mean);
      }),
    ),
  ]);
}
