import { nameEpoch } from '../data/epochs.ts';
import { formatPercent, joinWords } from '../data/format.ts';
import type { ModelResult, Results } from '../data/results.ts';
import { drawSpikes } from '../figures/spikes.ts';
import { countLayers, drawTau } from '../figures/tau.ts';
import {
  type Block,
  makeTable,
  numberColumn,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

/** Time constants and spikes of each layer, if the training recorded them. */
export function describeNeurons(results: Results): Section[] {
  if (countLayers(results) === 0) return [];
  return [
    {
      id: 'time-constants',
      title: 'Time constants',
      blocks: [...answer(answerTau(results)), { kind: 'figure', figure: drawTau(results) }],
    },
    {
      id: 'spikes',
      title: 'Spikes',
      blocks: [
        ...answer(answerSpikes(results)),
        { kind: 'figure', figure: drawSpikes(results) },
        { kind: 'table', table: tabulateSpikes(results) },
      ],
    },
  ];
}

/** What the figures below say, first. */
function answer(text: Text): Block[] {
  return text.length === 0 ? [] : [{ kind: 'paragraph', text, lead: true }];
}

/** A quantity of one layer of one model. */
interface LayerValue {
  readonly title: string;
  /** From 1. */
  readonly layer: number;
  readonly value: number;
}

/** A sentence on how far training moved the time constants and where they ended; empty without time constants. */
export function answerTau({ models }: Results): Text {
  const learning = models.filter(({ runs }) => runs[0]?.network.neuron !== 'lif');
  const moves = learning.flatMap((model) =>
    endsOf(model).map((end) => ({ ...end, from: startOf(model), by: Math.abs(end.value - startOf(model)) })),
  );
  if (moves.length === 0) {
    const fixed = models.flatMap((model) => endsOf(model).slice(0, 1));
    if (fixed.length === 0) return [];
    return [{ strong: 'No model learns its time constants' }, `: they stay at ${listTaus(fixed)} steps.`];
  }
  const most = moves.reduce((far, one) => (one.by > far.by ? one : far));
  const ends = learning.flatMap((model) => endsOf(model).filter(({ layer }) => layer === most.layer));
  const [low, high] = extremesOf(ends);
  const apart =
    ends.length === 1 ? '' : ` In that layer, τ ends between ${describeTau(low)} and ${describeTau(high)}.`;
  return [
    { strong: `Training moved τ by up to ${most.by.toFixed(2)} time steps` },
    `, in layer ${most.layer} of ${most.title}: from ${most.from.toFixed(2)} to ${most.value.toFixed(2)}.${apart}`,
  ];
}

/** A sentence on the layers and models that spike most and least on the test clips. */
export function answerSpikes({ models }: Results): Text {
  const rates = models.flatMap(({ title, runs }) => {
    const layers = Math.min(...runs.map((run) => run.layers.length));
    return Array.from({ length: layers }, (_, layer): LayerValue => {
      const values = runs.flatMap((run) => run.layers[layer]?.spikeRate ?? []);
      return { title, layer: layer + 1, value: meanOf(values) };
    });
  });
  if (rates.length === 0) return [];
  const layers = [...new Set(rates.map(({ layer }) => layer))].map((layer) => ({
    title: '',
    layer,
    value: meanOf(rates.filter((rate) => rate.layer === layer).map(({ value }) => value)),
  }));
  const [quiet, busy] = extremesOf(layers);
  const means = models.flatMap(({ title }) => {
    const values = rates.filter((rate) => rate.title === title).map(({ value }) => value);
    return values.length === 0 ? [] : [{ title, layer: 0, value: meanOf(values) }];
  });
  const [sparse, dense] = extremesOf(means);
  const among =
    means.length < 2
      ? ''
      : ` Averaged over the layers, ${sparse.title} spikes least (${formatPercent(sparse.value)}), ${dense.title} most (${formatPercent(dense.value)}).`;
  return [
    {
      strong: `On the test clips, layer ${busy.layer} spikes most, in ${formatPercent(busy.value)} of neurons and steps, and layer ${quiet.layer} least, in ${formatPercent(quiet.value)}.`,
    },
    among,
  ];
}

/** τ at the mean of w of each layer after the last epoch, as the mean over the seeds. */
function endsOf({ title, runs }: ModelResult): LayerValue[] {
  const layers = Math.min(...runs.map(({ metrics }) => metrics.layers.length));
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) => {
    const values = runs.flatMap(({ metrics }) => metrics.layers[layer]?.tauOfMean.at(-1) ?? []);
    return values.length === 0 ? [] : [{ title, layer: layer + 1, value: meanOf(values) }];
  });
}

/** As configured, unless a switch of the published code starts every τ per layer at 2. */
function startOf({ runs }: ModelResult): number {
  const [run] = runs;
  const tau: unknown = run?.network.tau;
  const [per, mean] =
    typeof tau === 'object' && tau !== null ? [Reflect.get(tau, 'per'), Reflect.get(tau, 'mean')] : [];
  const isAlways2 = run?.compat.base_tau === 'always-2' && per === 'layer';
  return typeof mean === 'number' && !isAlways2 ? mean : 2;
}

function describeTau({ title, value }: LayerValue): string {
  return `${value.toFixed(2)} (${title})`;
}

function listTaus(found: readonly LayerValue[]): string {
  return joinWords([...new Set(found.map(({ value }) => String(Number(value.toPrecision(3)))))]);
}

function extremesOf(found: readonly LayerValue[]): [LayerValue, LayerValue] {
  const sorted = [...found].sort((a, b) => a.value - b.value);
  const none: LayerValue = { title: '', layer: 0, value: Number.NaN };
  return [sorted[0] ?? none, sorted.at(-1) ?? none];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The spike density of each layer on the test clips, at the chosen epoch. */
export function tabulateSpikes(results: Results): Table {
  const layers = Array.from({ length: countLayers(results) }, (_, layer) => layer);
  const seeds = results.seeds.length;
  const note = `Share of the layer’s neurons that spike in a time step, without dropout${seeds > 1 ? `; means over ${seeds} seeds` : ''}. Values in training differ: with dropout, and on other clips.`;
  return makeTable(
    {
      id: 'table-spikes',
      caption: `Spike density on the test clips, at the ${nameEpoch(results.models)}`,
      notes: [[note]],
    },
    results.models,
    [
      textColumn('Model', ({ title }) => title),
      layers.map((layer) =>
        numberColumn(`Layer ${layer + 1}`, ({ runs }) => {
          const rates = runs.flatMap((run) => run.layers[layer]?.spikeRate ?? []);
          return rates.length === 0 ? null : formatPercent(meanOf(rates));
        }),
      ),
    ],
  );
}
