import { type Choice, COMPAT_SWITCHES, FRAME_SWITCHES, type Switch } from '../thesis/compat.ts';
import type { Cell, Table } from './document.ts';
import { joinWords } from './format.ts';
import type { ModelResult, Results, RunResult } from './results.ts';

/** A switch with its name, and for one of the frames, the data set that it concerns. */
interface NamedSwitch extends Switch {
  readonly name: string;
  readonly dataset?: string;
}

const SWITCHES: readonly NamedSwitch[] = Object.entries<Omit<NamedSwitch, 'name'>>({
  ...COMPAT_SWITCHES,
  ...FRAME_SWITCHES,
}).map(([name, one]) => ({ name, ...one }));

/** How each disagreement between paper, published code and published runs is resolved here; null if no run recorded it. */
export function tabulateCompat(results: Results): Table | null {
  const rows = SWITCHES.flatMap((one): Cell[][] => {
    const used = usedValues(results, one);
    if (used.size === 0) return [];
    const [usual, ...others] = one.choices;
    return [
      [
        { text: one.decides, details: [`${one.dataset === undefined ? 'compat' : 'frames'}.${one.name}`] },
        describeUse(results, one, used),
        describeChoice(usual),
        describeAlternatives(others),
      ],
    ];
  });
  if (rows.length === 0) return null;
  return {
    id: 'table-compat',
    caption: 'Where paper, code and runs disagree',
    // This run comes first: on a phone, the other columns need scrolling.
    columns: [
      { label: 'Disagreement' },
      { label: 'This run' },
      { label: 'Default' },
      { label: 'Alternative' },
    ],
    rows,
    notes: [
      [
        'The paper, the code published with it and the runs behind its table disagree on these points. Values other than the default are marked; ',
        { code: 'docs/deviations.md' },
        ' gives the evidence.',
      ],
    ],
  };
}

/** The switches that are not at their defaults for every model: `trials=first-88`. */
export function listSwitched(results: Results): string[] {
  return SWITCHES.flatMap((one) =>
    [...usedValues(results, one)]
      .filter(([value, models]) => !isConsequence(one, value, models))
      .map(([value]) => value)
      .filter((value) => one.choices.slice(1).some((choice) => choice.value === value))
      .map((value) => `${one.name}=${value}`),
  );
}

/** Whether nobody chose this value: without clips to validate on, the last epoch is kept. */
function isConsequence({ name }: NamedSwitch, value: string, models: ReadonlySet<ModelResult>): boolean {
  const validates = [...models].some(({ runs }) => runs.some(({ clips }) => clips.validation > 0));
  return name === 'selection' && value === 'last' && !validates;
}

/** Whether the profile's own batch size overrides the switch in some run, so that neither of its values applies there. */
export function isBatchSizeOverruled(results: Results): boolean {
  return results.models.some((model) => model.runs.some((run) => overrulingBatchSize(model, run) !== null));
}

/** Values in force, each with the models that use it. */
function usedValues(
  results: Results,
  { name, dataset, choices }: NamedSwitch,
): Map<string, Set<ModelResult>> {
  const used = new Map<string, Set<ModelResult>>();
  if (dataset !== undefined && dataset !== results.dataset) return used;
  for (const model of results.models) {
    for (const run of model.runs) {
      // Frames made with the default do not name it.
      const value =
        dataset !== undefined
          ? run.frames && (run.frames[name] ?? choices[0].value)
          : ((name === 'batch_size' ? overrulingBatchSize(model, run) : null) ?? run.compat?.[name]);
      if (typeof value === 'string') used.set(value, (used.get(value) ?? new Set()).add(model));
    }
  }
  return used;
}

/** The batch size, if the profile overrides the one in the model's file; otherwise null. */
function overrulingBatchSize({ train }: ModelResult, { compat, training }: RunResult): string | null {
  const { batchSize } = training;
  const overruled = compat?.batch_size === 'paper' && batchSize !== train.batchSize;
  return overruled && typeof batchSize === 'number' ? String(batchSize) : null;
}

function describeChoice({ value, means, of }: Choice): Cell {
  return { text: value, details: [means, ...(of === null ? [] : [`(${of})`])] };
}

function describeAlternatives(choices: readonly Choice[]): Cell {
  const [only] = choices;
  if (choices.length === 1 && only !== undefined) return describeChoice(only);
  return {
    text: choices.map(({ value }) => value).join(', '),
    details: choices.map(({ value, means, of }) => `${value}: ${means}${of === null ? '' : ` (${of})`}`),
  };
}

function describeUse(
  results: Results,
  one: NamedSwitch,
  used: ReadonlyMap<string, ReadonlySet<ModelResult>>,
): Cell {
  const {
    name,
    choices: [usual],
  } = one;
  const whose = (models: ReadonlySet<ModelResult>): string =>
    joinWords(results.models.filter((model) => models.has(model)).map(({ title }) => title));
  const other = [...used].filter(([value]) => value !== usual.value);
  const asUsual = used.get(usual.value);
  if (other.length === 0) return { text: usual.value, details: ['default'] };
  if (used.size === 1 && other.every(([value, models]) => isConsequence(one, value, models)))
    return { text: 'last', details: ['default where no clips are held out'] };
  return {
    // If it applies to all models, their names are superfluous.
    text: other
      .map(([value, models]) => (used.size === 1 ? value : `${value} (${whose(models)})`))
      .join(', '),
    tone: 'differs',
    details: [
      name === 'batch_size' && isBatchSizeOverruled(results)
        ? 'set by train.batchSize of the profile'
        : asUsual === undefined
          ? 'not the default'
          : `default for ${whose(asUsual)}`,
    ],
  };
}
