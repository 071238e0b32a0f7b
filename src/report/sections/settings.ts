import { capitalise } from '../../base/text.ts';
import type { Choice } from '../../results/thesis/compat.ts';
import { findPublishedModel, nameSource, THESIS } from '../../results/thesis/published.ts';
import { joinWords, present, sentences } from '../../verdicts/words.ts';
import type { ModelResult, Results } from '../data/results.ts';
import { compareSettings, listDeviations, listSwitched } from '../data/settings.ts';
import { drawNetwork } from '../figures/network.ts';
import {
  type Block,
  type Cell,
  makeTable,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

export function describeSettings(results: Results): Section {
  return {
    id: 'settings',
    title: 'Settings',
    blocks: [
      { kind: 'figure', figure: drawNetwork(results) },
      { kind: 'paragraph', text: [summariseDeviations(results)] },
      { kind: 'table', table: tabulateSettings(results) },
      ...describeCompat(results),
    ],
  };
}

function summariseDeviations(results: Results): string {
  const own = results.models.filter((model) => findPublishedModel(model) === undefined);
  const count = listDeviations(results).length;
  const source = nameSource(results.models);
  if (count === 0 && own.length === 0) return `Every setting matches ${source}.`;
  const isOne = own.length === 1;
  return sentences(
    count === 0 && `No setting differs from ${source}, as far as they can be compared.`,
    count === 1 && `1 setting differs from ${source} and is marked.`,
    count > 1 && `${count} settings differ from ${source} and are marked.`,
    own.length > 0 &&
      `${joinWords(own.map(({ title }) => title))} ${isOne ? 'is not a model' : 'are not models'} of ${source}, so ${isOne ? 'its' : 'their'} network and training cannot be compared.`,
  );
}

function describeCompat(results: Results): Block[] {
  const table = tabulateCompat(results);
  const disagree: Text = [
    'The paper, its code and its runs disagree on some points (',
    { code: 'docs/deviations.md' },
    `). ${table.rows.length === 0 ? 'Here, all' : 'Those not in this table'} have their defaults, which follow the intent of the thesis.`,
  ];
  return [
    { kind: 'paragraph', text: disagree },
    ...(table.rows.length === 0 ? [] : [{ kind: 'table', table } as const]),
  ];
}

const CLIPS_NOTE: Text = [
  'The 900 + 156 clips of the thesis come from 88 of the 98 training recordings: on a machine with 12 processors, the published converter drops the last ten recordings. The data set has 1,176 training clips.',
];

/** The settings of network and training beside those of the thesis. */
export function tabulateSettings(results: Results): Table {
  const source = nameSource(results.models);
  return makeTable(
    {
      id: 'table-settings',
      caption: `Settings in ${source}, and in this run`,
      notes: results.dataset.name === THESIS.dataset && !results.simulated ? [CLIPS_NOTE] : [],
    },
    compareSettings(results),
    [
      textColumn('Setting', ({ label }) => label),
      textColumn(capitalise(source.replace('the ', '')), ({ thesis, without }) => {
        if (thesis === '') return null;
        return without.length === 0 ? thesis : { text: thesis, details: [`– for ${joinWords(without)}`] };
      }),
      textColumn('This run', ({ used, differs }) => (differs ? { text: used, tone: 'differs' } : used)),
    ],
  );
}

/** The disagreements between paper, published code and published runs that do not have their defaults here. */
function tabulateCompat(results: Results): Table {
  const nameModels = (models: ReadonlySet<ModelResult>): string =>
    joinWords(results.models.filter((model) => models.has(model)).map(({ title }) => title));
  return makeTable(
    { id: 'table-compat', caption: 'Where paper, code and runs disagree' },
    listSwitched(results),
    // This run comes first: on a phone, the other columns need scrolling.
    [
      textColumn('Disagreement', ({ one: { decides, dataset, name } }) => ({
        text: decides,
        details: [`${dataset === undefined ? 'compat' : 'frames'}.${name}`],
      })),
      textColumn('This run', ({ used }) => ({
        // If it applies to all models, their names are superfluous.
        text: joinWords(
          [...used].map(([value, models]) => (used.size === 1 ? value : `${value} (${nameModels(models)})`)),
        ),
        tone: 'differs',
      })),
      textColumn('Default', ({ one: { choices } }) => describeChoice(choices[0])),
      textColumn('Alternative', ({ one: { choices } }) => describeAlternatives(choices.slice(1))),
    ],
  );
}

function describeChoice({ value, means, of }: Choice): Cell {
  return { text: value, details: present(means, of !== null && `(${of})`) };
}

function describeAlternatives(choices: readonly Choice[]): Cell {
  const [only, ...others] = choices;
  if (only !== undefined && others.length === 0) return describeChoice(only);
  return {
    text: choices.map(({ value }) => value).join(', '),
    details: choices.map(({ value, means, of }) => `${value}: ${means}${of === null ? '' : ` (${of})`}`),
  };
}
