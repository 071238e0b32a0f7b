import type { Cell, Table } from './document.ts';
import { joinWords } from './format.ts';
import type { ModelResult, Results, RunResult } from './results.ts';

/** One switch of docs/deviations.md: what it decides, and who has which of its two ways. */
interface Switch {
  readonly name: string;
  readonly decides: string;
  /** The default first: the intent of the thesis. */
  readonly ways: readonly [Way, Way];
}

interface Way {
  readonly value: string;
  /** What it means, in a few words. */
  readonly means: string;
  /** Who has it: the paper, the published code or the published runs; null where none of them does. */
  readonly of: string | null;
}

const SWITCHES: readonly Switch[] = [
  {
    name: 'trials',
    decides: 'Training recordings',
    ways: [
      { value: 'all', means: 'all of the list', of: 'the data set: 98' },
      { value: 'first-88', means: 'its first 88', of: 'paper’s counts and published runs' },
    ],
  },
  {
    name: 'tau_per_neuron',
    decides: 'Whether the network is told that each neuron has its own τ',
    ways: [
      { value: 'passed', means: 'it is', of: 'paper and published runs' },
      { value: 'dropped', means: 'it is not: one τ a layer', of: 'published code' },
    ],
  },
  {
    name: 'batch_size',
    decides: 'Clips a batch',
    ways: [
      { value: 'documented', means: 'as the model says', of: 'documented commands: 16' },
      { value: 'logged', means: '32', of: 'published runs' },
    ],
  },
  {
    name: 'tau_init',
    decides: 'How τ starts where neurons differ',
    ways: [
      { value: 'code', means: 'log-normal with mean μ', of: 'published code and runs' },
      { value: 'paper', means: '1 + log-normal with mean μ\u00a0−\u00a01', of: 'paper' },
    ],
  },
  {
    name: 'regularise',
    decides: 'Whose variance λ weighs',
    ways: [
      { value: 'w', means: 'that of w, the logit of 1/\u2060τ', of: 'published code and runs' },
      { value: 'tau', means: 'that of τ', of: 'paper' },
    ],
  },
  {
    name: 'base_tau',
    decides: 'How a τ that a layer shares starts',
    ways: [
      { value: 'configured', means: 'as configured', of: 'argument of the published code' },
      { value: 'always-2', means: 'at 2, whatever is asked for', of: 'published code' },
    ],
  },
  {
    name: 'validation',
    decides: 'Clips that validate an epoch',
    ways: [
      { value: 'all', means: 'all that are held out', of: null },
      {
        value: 'shuffled-drop-last',
        means: 'whole batches of them, drawn anew each epoch',
        of: 'published code and runs',
      },
    ],
  },
  {
    name: 'selection',
    decides: 'What chooses the epoch that is evaluated',
    ways: [
      { value: 'validation', means: 'validation accuracy', of: 'published code, for its checkpoint' },
      { value: 'best-test', means: 'accuracy on the test clips themselves', of: 'paper, for its table' },
    ],
  },
  {
    name: 'surrogate',
    decides: 'Derivative in place of the spike’s',
    ways: [
      { value: 'configured', means: 'as the model says', of: 'published code: arctan' },
      { value: 'sigmoid', means: 'that of a sigmoid', of: 'paper, in one place' },
    ],
  },
  {
    name: 'file_order',
    decides: 'Order of the clips before some are held out',
    ways: [
      { value: 'sorted', means: 'by the recording’s name', of: null },
      {
        value: 'shuffled',
        means: 'drawn at random, for the order of a directory listing',
        of: 'published code',
      },
    ],
  },
];

/** How each disagreement between paper, published code and published runs was settled here; null where nobody recorded it. */
export function tabulateCompat(results: Results): Table | null {
  const rows = SWITCHES.flatMap((one): Cell[][] => {
    const used = usedWays(results, one);
    if (used.size === 0) return [];
    const [usual, other] = one.ways;
    return [
      [
        { text: one.decides, details: [`compat.${one.name}`] },
        describeUse(results, one, used),
        describeWay(usual),
        describeWay(other),
      ],
    ];
  });
  if (rows.length === 0) return null;
  return {
    id: 'table-compat',
    caption: 'Where paper, code and runs disagree',
    // This run's comes first: on a phone the others are reached by scrolling.
    columns: [
      { label: 'Disagreement' },
      { label: 'This run' },
      { label: 'Default' },
      { label: 'The other way' },
    ],
    rows,
    notes: [
      [
        'The paper, the code published with it and the runs behind its table do not agree with each other in these points. What is not as by default is marked; ',
        { code: 'docs/deviations.md' },
        ' gives the evidence.',
      ],
    ],
  };
}

/** The switches that some model has not as by default: `trials=first-88`. */
export function listSwitched(results: Results): string[] {
  return SWITCHES.flatMap((one) =>
    [...usedWays(results, one).keys()]
      .filter((value) => value === one.ways[1].value)
      .map((value) => `${one.name}=${value}`),
  );
}

/** Whether the profile's own batch size goes over the switch somewhere, so that neither of its ways holds there. */
export function isBatchSizeOverruled(results: Results): boolean {
  return results.models.some((model) => model.runs.some((run) => overrulingBatchSize(model, run) !== null));
}

/** Values in force, each with the models that have it. */
function usedWays(results: Results, { name }: Switch): Map<string, Set<ModelResult>> {
  const used = new Map<string, Set<ModelResult>>();
  for (const model of results.models) {
    for (const run of model.runs) {
      const value = (name === 'batch_size' ? overrulingBatchSize(model, run) : null) ?? run.compat?.[name];
      if (typeof value === 'string') used.set(value, (used.get(value) ?? new Set()).add(model));
    }
  }
  return used;
}

/** Clips a batch, where they are not what the model's file says and the switch left it at that; null where they are. */
function overrulingBatchSize({ train }: ModelResult, { compat, training }: RunResult): string | null {
  const { batchSize } = training;
  const overruled = compat?.batch_size === 'documented' && batchSize !== train.batchSize;
  return overruled && typeof batchSize === 'number' ? String(batchSize) : null;
}

function describeWay({ value, means, of }: Way): Cell {
  return { text: value, details: [means, ...(of === null ? [] : [`(${of})`])] };
}

function describeUse(
  results: Results,
  { name, ways: [usual] }: Switch,
  used: ReadonlyMap<string, ReadonlySet<ModelResult>>,
): Cell {
  const whose = (models: ReadonlySet<ModelResult>): string =>
    joinWords(results.models.filter((model) => models.has(model)).map(({ title }) => title));
  const other = [...used].filter(([value]) => value !== usual.value);
  const asUsual = used.get(usual.value);
  if (other.length === 0) return { text: usual.value, details: ['default'] };
  return {
    // Where it holds for all models, their names would only be in the way.
    text: other
      .map(([value, models]) => (used.size === 1 ? value : `${value} (${whose(models)})`))
      .join(', '),
    tone: 'differs',
    details: [
      name === 'batch_size' && isBatchSizeOverruled(results)
        ? 'as the profile’s train.batchSize says'
        : asUsual === undefined
          ? 'not the default'
          : `default for ${whose(asUsual)}`,
    ],
  };
}
