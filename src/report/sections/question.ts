import { capitalise } from '../../base/text.ts';
import type { QuestionEntry } from '../../verdicts/claims-file.ts';
import { formatP } from '../../verdicts/stats/p-values.ts';
import { DIFFERENCE_TITLES, type DifferenceVerdict } from '../../verdicts/verdicts.ts';
import {
  formatBareRange,
  formatPoints,
  formatPointsRange,
  formatShare,
  present,
  spellCount,
  spellQuantity,
} from '../../verdicts/words.ts';
import { nameEpoch } from '../data/epochs.ts';
import { type Endpoint, nameBaselines, type Question, type QuestionArm } from '../data/question.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { colorVariable, modelColor, POINT_LABELS } from '../drawing/theme.ts';
import { drawDotPlot } from '../figures/dot-plot.ts';
import {
  type Block,
  type Cell,
  makeTable,
  numberColumn,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

/** Each arm compared with its baseline, and how sure its verdict is. What they say together is at the top of the page. */
export function describeQuestion(results: Results, question: Question): Section {
  return {
    id: 'question',
    title: 'The question',
    blocks: [
      ...describeEndpoint(results, question, { id: 'question', on: '' }),
      ...(question.second === null
        ? []
        : describeEndpoint(results, question.second, {
            ...{ id: 'question-second', on: ` on ${question.second.text}` },
          })),
    ],
  };
}

/** How an endpoint is told from the other. */
interface Naming {
  readonly id: string;
  /** ` on these clips` */
  readonly on: string;
}

function describeEndpoint(results: Results, endpoint: Endpoint, naming: Naming): Block[] {
  return [
    { kind: 'figure', figure: drawForest(results, endpoint, naming) },
    { kind: 'table', table: tabulateArms(results, endpoint, naming) },
  ];
}

function tabulateArms({ seeds }: Results, endpoint: Endpoint, { id, on }: Naming): Table {
  const { baseline, users, arms } = endpoint;
  return makeTable<QuestionArm>(
    {
      id: `table-${id}`,
      caption: `Difference in test accuracy${on} from ${nameBaselines(arms)}, for other seeds and other ${users === null ? 'clips' : 'users'}`,
      // The first table's notes hold for the second.
      notes: on === '' ? explainArms(seeds.length, endpoint) : [],
    },
    arms,
    [
      textColumn('Arm', ({ model }) => model.title),
      arms.some((arm) => arm.baseline !== baseline) &&
        textColumn('Compared with', (arm) => arm.baseline.title),
      numberColumn('Difference', ({ difference }) => formatPoints(difference)),
      numberColumn('95\u00a0% interval', (arm) => rangeOf(arm, 'interval')),
      numberColumn('90\u00a0% interval', (arm) => rangeOf(arm, 'narrow')),
      users !== null &&
        numberColumn('Users up, down', ({ sides }) => sides && `${sides.more}, ${sides.fewer}`),
      numberColumn('p, corrected', ({ certainty }) => certainty && formatP(certainty.adjusted)),
      textColumn('Verdict', ({ verdict }) => ({ text: DIFFERENCE_TITLES[verdict], ...TONES[verdict] })),
      numberColumn('Would find', ({ certainty }) => {
        if (certainty === null) return null;
        return certainty.detectable === null ? 'none' : formatPoints(certainty.detectable, false);
      }),
      numberColumn('Shows equivalence', ({ certainty }) => {
        return certainty && formatShare(certainty.equivalenceChance);
      }),
    ],
  );
}

const TONES: Readonly<Record<DifferenceVerdict, Pick<Cell, 'tone'>>> = {
  different: {},
  slight: {},
  equivalent: {},
  undecided: { tone: 'missing' },
};

function rangeOf({ certainty }: QuestionArm, which: 'interval' | 'narrow'): string | null {
  // The column before it has the unit.
  return certainty && formatBareRange(certainty[which]);
}

function explainArms(seeds: number, { users, margin, arms }: Endpoint): Text[] {
  const drawn = users === null ? 'the clips' : spellQuantity(users, 'user');
  return present<Text>(
    [
      `The margin, ${formatPoints(margin, false)}, is the profile’s, which has to state it before the run. `,
      { strong: 'Different' },
      `: p is at most 0.05 after Holm’s correction for ${spellCount(arms.length)} ${arms.length === 1 ? 'arm' : 'arms'}. `,
      { strong: 'Equivalent' },
      ': not different, and certainly within the margin (two one-sided tests at 5\u00a0%, not corrected). ',
      { strong: 'Different, but by less than the margin' },
      ': both. ',
      { strong: 'Undecided' },
      ': neither. Intervals are not corrected.',
    ],
    [
      `Each seed and each clip is compared with itself. ${capitalise(spellQuantity(seeds, 'seed'))} and ${drawn} count as drawn at random (errors clustered both ways)${users === null ? '' : ', because clips of one person are alike'}. `,
      { code: 'docs/claims.md' },
      ' has the method, its assumptions and how well it covers.',
    ],
    users !== null && [
      'Up: how many users have more clips right than with the baseline, over all seeds; down: fewer. The others have as many.',
    ],
    [
      'The last two columns are the power of a design with this scatter: the smallest true difference that it would find in four of five cases, and how often it shows equivalence if there is no difference at all.',
    ],
    arms.some(({ certainty }) => certainty === null) && [
      '–: a single seed or user, or all differ by the same amount: nothing says how far others may be.',
    ],
  );
}

/** The question and its answer, for claims.json. */
export function listVerdicts({ text, baseline, second, ...first }: Question): QuestionEntry {
  return {
    ...{ text, baseline: baseline.id, ...listArms(baseline, first) },
    ...(second === null
      ? {}
      : { second: { text: second.text, classes: [...second.classes], ...listArms(baseline, second) } }),
  };
}

function listArms({ id }: ModelResult, { margin, arms }: Pick<Endpoint, 'margin' | 'arms'>) {
  return {
    margin,
    arms: arms.map(({ model, baseline, difference, verdict, certainty }) => ({
      ...{ model: model.id, ...(baseline.id === id ? {} : { baseline: baseline.id }), difference },
      ...{ low: certainty?.interval.low ?? null, high: certainty?.interval.high ?? null, verdict },
    })),
  };
}

/** How far each arm is from its baseline, with its interval, and the margin within which a difference does not matter. */
function drawForest(
  { models, seeds }: Results,
  { margin, users, arms }: Endpoint,
  { id, on }: Naming,
): Figure {
  const level = nameBaselines(arms);
  const reach = Math.max(
    1.5 * margin,
    ...arms.flatMap((arm) => {
      const { low, high } = arm.certainty?.interval ?? { low: arm.difference, high: arm.difference };
      return [-low, high, ...arm.seeds.map(Math.abs)];
    }),
  );
  // Whole points, with room at the ends.
  const end = Math.min(1, Math.ceil(reach * 105) / 100);
  return {
    id,
    title: `Difference in test accuracy of the arms${on} from ${level}`,
    caption: present(
      `In percentage points, at the ${nameEpoch(models)}; bars show the 95 % interval.`,
      `Shaded: the margin of ${formatPoints(margin, false)}.`,
      seeds.length > 1 && 'Small ticks are the seeds.',
    ).join(' '),
    alt: arms
      .map(
        (arm) =>
          `${arm.model.title}: ${formatPoints(arm.difference)}${describeInterval(arm)}, ${DIFFERENCE_TITLES[arm.verdict]}.`,
      )
      .join(' '),
    legend: [],
    columns: 1,
    panels: [
      drawDotPlot({
        rows: arms.map((arm) => arm.model.title),
        series: [{ name: 'difference', look: { shape: 'circle', filled: true, size: 70 } }],
        dots: arms.map((arm) => {
          const { low, high } = arm.certainty?.interval ?? { low: arm.difference, high: arm.difference };
          return {
            ...{ row: arm.model.title, series: 'difference', value: arm.difference, low, high },
            color: colorVariable(modelColor(models.findIndex((model) => model.id === arm.model.id))),
            seeds: arm.seeds.length > 1 ? arm.seeds : [],
          };
        }),
        rowHeight: 36,
        domain: [-end, end],
        axis: { title: `points more accurate than ${level}`, labelExpr: POINT_LABELS },
        level: { value: 0, label: level },
        shade: [-margin, margin],
      }),
    ],
    data: [
      [
        ...['model', 'baseline', 'seeds', 'users', 'difference', 'standard_error', 'degrees_of_freedom'],
        ...['low_95', 'high_95', 'low_90', 'high_90', 'p', 'p_holm', 'margin', 'verdict'],
        ...['detectable_80', 'equivalence_chance'],
      ],
      ...arms.map(({ model, baseline, difference, verdict, certainty: found }) => [
        ...[model.id, baseline.id, seeds.length, users, difference],
        ...[found?.error ?? null, found?.degrees ?? null],
        ...[found?.interval.low ?? null, found?.interval.high ?? null],
        ...[found?.narrow.low ?? null, found?.narrow.high ?? null],
        ...[found?.p ?? null, found?.adjusted ?? null, margin, verdict],
        ...[found?.detectable ?? null, found?.equivalenceChance ?? null],
      ]),
    ],
  };
}

function describeInterval({ certainty }: QuestionArm): string {
  if (certainty === null) return '';
  const { low, high } = certainty.interval;
  return ` (${formatPointsRange(low, high)})`;
}
