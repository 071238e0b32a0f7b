// Fills the tables of a page from results/. A comment above each says which: `<!-- compare` or `<!-- change`, then a line for
// each row, or `<!-- left out`.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { type AnswerTable, sumCells } from '../../src/verdicts/answers.ts';
import { type Contrast, measureContrasts } from '../../src/verdicts/contrasts.ts';
import type { Interval } from '../../src/verdicts/stats/proportions.ts';
import { DIFFERENCE_TITLES } from '../../src/verdicts/verdicts.ts';
import { formatBarePoints, formatBareRange } from '../../src/verdicts/words.ts';
import { readAnswerTable, readRecords } from './kept-answers.ts';
import { tabulateLeftOut } from './leave-out.ts';
import { formatMarkdownTable, listEndpoints } from './questions.ts';

/** A page with all of its tables as results/ has them. */
export function fillTables(root: string, page: string): string {
  const kept = new KeptResults(root);
  const tabulate: Record<string, (rows: string[][]) => string> = {
    compare: (rows) => tabulateComparisons(kept, rows),
    change: (rows) => tabulateChanges(root, rows),
    'left out': () => tabulateLeftOut(root),
  };
  return page.replace(
    /(<!-- (compare|change|left out)\n([^>]*)-->\n\n)(?:\|.*\n)*\n*/g,
    (_, head, kind, lines) => {
      const rows = lines.trim().split('\n');
      return `${head}${tabulate[kind]!(rows.map((row: string) => row.split(' ')))}\n\n`;
    },
  );
}

/** The trained networks of one model in one run. */
interface Trained {
  readonly profile: string;
  readonly model: string;
}

/** What is kept of runs, each file read once. */
class KeptResults {
  readonly endpoints: ReturnType<typeof listEndpoints>;
  private readonly root: string;
  private readonly tables = new Map<string, AnswerTable>();

  constructor(root: string) {
    this.root = root;
    this.endpoints = listEndpoints(root);
  }

  /** The answers of a run. */
  tableOf(profile: string): AnswerTable {
    const table = this.tables.get(profile) ?? readAnswerTable(this.root, profile);
    this.tables.set(profile, table);
    return table;
  }

  answersOf({ profile, model }: Trained) {
    return this.tableOf(profile).arms.get(model)!;
  }

  /** The share of right answers in its trainings with the seeds of another one, in percent. */
  shareOf(trained: Trained, other: Trained): string {
    const own = this.answersOf(trained);
    const answers = [...this.answersOf(other).keys()].flatMap((seed) => [...own.get(seed)!.values()]);
    return ((100 * answers.reduce((sum, answer) => sum + answer, 0)) / answers.length).toFixed(1);
  }

  /** The mean of the first minus the second over seeds and items; less that of the third and fourth, if there are any. */
  measure(
    ...[arm, baseline, ...less]: [Trained, Trained, ...Trained[]]
  ): Pick<Contrast, 'difference'> & Interval {
    const signed = [arm, ...less.slice(1)].map((of) => ({ sign: 1, answers: this.answersOf(of) }));
    for (const of of [baseline, ...less.slice(0, 1)]) signed.push({ sign: -1, answers: this.answersOf(of) });
    const own = [...this.answersOf(arm)];
    const sum = new Map(
      own.map(([seed, items]) => {
        const total = (item: string) =>
          signed.reduce((all, { sign, answers }) => all + sign * answers.get(seed)!.get(item)!, 0);
        return [seed, new Map([...items.keys()].map((item) => [item, total(item)]))];
      }),
    );
    const nothing = new Map(
      own.map(([seed, items]) => [seed, new Map([...items].map(([item]) => [item, 0]))]),
    );
    const table = {
      ...this.tableOf(arm.profile),
      isScore: true,
      arms: new Map([
        ['sum', sum],
        ['nothing', nothing],
      ]),
    };
    const cells = sumCells(
      table,
      own.map(([seed]) => seed),
      'sum',
      'nothing',
    );
    const { difference, certainty } = measureContrasts([cells], { margin: 0 })[0]!;
    return { difference, ...certainty!.interval };
  }
}

/** @param rows `profile arm baseline`, or with a second such triple, whose difference is taken off; `run/model` is the model of another run */
function tabulateComparisons(kept: KeptResults, rows: readonly string[][]): string {
  const head = [
    'profile',
    'arm',
    'compared with',
    '% right',
    'and there',
    'points (95 % interval)',
    'verdict',
  ];
  const cells = rows.map(([profile = '', arm = '', baseline = '', other, ...less]) => {
    const locate = (name: string, run = profile) =>
      name.includes('/')
        ? { profile: path.dirname(name), model: path.basename(name) }
        : { profile: run, model: name };
    const pair = [locate(arm), locate(baseline)] as const;
    const stated = kept.endpoints
      .find((one) => one.profile === profile && one.clips === null)
      ?.arms.find((one) => other === undefined && one.model === arm && one.baseline === baseline);
    const { difference, low, high } =
      stated ?? kept.measure(...pair, ...less.map((name) => locate(name, other)));
    return [
      other === undefined ? `\`${profile}\`` : `\`${profile}\`, less that in \`${other}\``,
      ...[`\`${arm}\``, `\`${baseline}\``],
      ...pair.map((one) => (other === undefined ? kept.shareOf(one, pair[0]) : '')),
      `${formatBarePoints(difference)} (${formatBareRange({ low: low!, high: high! })})`,
      stated === undefined ? 'not stated before' : DIFFERENCE_TITLES[stated.verdict],
    ];
  });
  const rule = head.map((_, at) => (at < 3 || at === 6 ? '---' : '---:'));
  return formatMarkdownTable(head, cells, rule);
}

/** @param rows `profile model change`: what was done to the τ of trained networks */
function tabulateChanges(root: string, rows: readonly string[][]): string {
  const head = ['profile', 'network', 'its τ', 'points', '95 % interval', ''];
  const cells = rows.map(([profile = '', model = '', change = '']) => {
    const folder = path.join(root, 'results', profile, 'figures');
    const file = readdirSync(folder).find((name) => name.endsWith('tau-changes.csv'))!;
    const found = readRecords(path.join(folder, file)).find(
      (row) => row.model === model && row.change === change,
    )!;
    const [difference, low, high] = [found.difference, found.low_95, found.high_95].map(Number);
    return [
      ...[`\`${profile}\``, `\`${model}\``, CHANGES[change]!],
      ...[formatBarePoints(difference!), formatBareRange({ low: low!, high: high! })],
      Number(found.p_holm) <= 0.05 ? 'less accurate' : 'not found to be less accurate',
    ];
  });
  return formatMarkdownTable(head, cells, ['---', '---', '---', '---:', '---:', '---']);
}

const CHANGES: Record<string, string> = {
  'layer-mean': "replaced by their layer's mean",
  permuted: 'permuted within their layer',
  'permuted-gain-kept': 'permuted, gain kept',
};
