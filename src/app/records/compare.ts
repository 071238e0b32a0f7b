import process from 'node:process';
import { isSameJson } from '../../base/files/canonical-json.ts';
import { listSome } from '../../base/text.ts';
import { readTestAnswers, type TestAnswer } from '../../results/predictions.ts';
import { fixOf, type ResultFile } from '../../results/result-file.ts';
import { nameSetting, readSettings } from '../../results/run-file.ts';
import { readStatus } from '../../runner/run/status.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { describeConfiguration, type RunRecord } from '../../runner/store/records.ts';
import { Store } from '../../runner/store/store.ts';
import { type AnswerTable, findUnpaired, sumCells } from '../../verdicts/answers.ts';
import { measureContrasts, nameDesign } from '../../verdicts/contrasts.ts';
import { ACCURACY_UNIT, describeContrast } from '../../verdicts/findings.ts';
import { stateP } from '../../verdicts/stats/p-values.ts';
import { factsOf } from '../project/facts.ts';
import { loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { stageNames } from '../project/stages.ts';
import { type Colors, colorsFor, printResult, printWarning, toOneLine } from '../view/print.ts';
import { alignTable } from '../view/table.ts';
import { type RecordedNetwork, RecordedNetworks } from './recorded-networks.ts';

interface CompareOptions extends PipelineOptions {
  readonly only?: string;
}

/** `repro compare A B`. @throws {ReproError} `no-record` if nothing matches one of them */
export async function compareNamed(a: string, b: string, options: CompareOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const store = new Store(cacheFolderOf(plan).store);
  const present = new Map<string, RunRecord>();
  for (const { id, record, isPresent } of await readStatus(plan, { facts: factsOf(plan) })) {
    if (isPresent && record !== null) present.set(id, record);
  }
  const networks = new RecordedNetworks(plan, present);
  const read = async (wanted: string): Promise<Network[]> => {
    const found: Network[] = [];
    for (const recorded of networks.find(wanted, options.only)) {
      const { evaluation } = recorded;
      const network = await readNetwork(recorded, store);
      found.push(network);
      // A model's name means its present result. A fingerprint or a time may name any run, without a warning.
      if (networks.isPresent(evaluation) || !isModel(network, wanted)) continue;
      const why = plan.instances.has(evaluation.id)
        ? 'has no result of the present settings, code and data'
        : `is not in profile ${plan.profile}`;
      printWarning(`${network.name} ${why}; this is its last run: ${describeConfiguration(evaluation)}`);
    }
    return found;
  };
  const sides: Sides = [await read(a), await read(b)];
  const pairs = pairNetworks(...sides);
  const onlyIn = (side: 0 | 1) =>
    sides[side].filter((one) => pairs.every((pair) => pair[side] !== one)).map(({ name }) => name);
  const found = {
    ...{ runs: { a, b }, onlyA: onlyIn(0), onlyB: onlyIn(1) },
    settings: diffSettings(sides),
    differences: measureDifferences(pairs),
  };
  printResult(options, 'compare', found, () => describe(found, sides, colorsFor(process.stdout)));
}

type Settings = ReadonlyMap<string, string>;

/** A trained and evaluated network; what is no longer kept is null. */
interface Network {
  /** `baseline,2020`, safe to print: it comes from a record, which may be of others. */
  readonly name: string;
  readonly model: string;
  readonly seed: string;
  /** In force, `train.epochs` -> JSON text. */
  readonly settings: Settings | null;
  readonly answers: readonly TestAnswer[] | null;
  readonly data: RecordedNetwork['data'];
}

type Sides = readonly [readonly Network[], readonly Network[]];
type Pair = readonly [Network, Network];

/** What run.json says of how a network was made. */
const sections = ['dataset', 'simulated', 'frames', 'network', 'training', 'compat', 'split', 'engine'];

async function readNetwork({ evaluation, lineage, data }: RecordedNetwork, store: Store): Promise<Network> {
  const run = await readText(lineage.get(stageNames.train), 'run.json', store);
  const predictions = await readText(evaluation, 'predictions.csv', store);
  const { model = evaluation.id, seed = '' } = evaluation.parts.matrix;
  return {
    name: toOneLine(seed === '' ? `${model}` : `${model},${seed}`),
    ...{ model: `${model}`, seed: `${seed}`, data },
    settings:
      run &&
      new Map(
        [...readSettings(run, sections)].map(([key, value]) => [nameSetting(key), JSON.stringify(value)]),
      ),
    answers: predictions && readTestAnswers(predictions),
  };
}

/** Hundreds of times those of the thesis. */
const BYTES_AT_MOST = 64 * 1024 * 1024;

async function readText(
  record: RunRecord | undefined,
  name: string,
  store: Store,
): Promise<ResultFile | null> {
  const output = record?.outputs[0];
  const bytes = output === undefined ? null : await store.readOutputFile(output, name, BYTES_AT_MOST);
  if (record === undefined || output === undefined || bytes === null) return null;
  return { file: `${output.path}/${name}`, text: bytes.toString('utf8'), fix: fixOf(record.id) };
}

/** Whether words such as `baseline`, `baseline,2020` or `evaluate@baseline,2020` name a network by what it is. */
function isModel({ model, seed }: Network, wanted: string): boolean {
  return wanted
    .replace(/^(evaluate|train)@/, '')
    .split(',')
    .every((word) => word === model || word === seed);
}

/** Each with that of the same model and seed; if both sides have one model, only the seeds have to match; if both have one seed, only the models. */
function pairNetworks(...sides: Sides): Pair[] {
  const isOne = (name: 'model' | 'seed') =>
    sides.every((side) => new Set(side.map((one) => one[name])).size === 1);
  const [oneModel, oneSeed] = [isOne('model'), isOne('seed')];
  return sides[0].flatMap((a): Pair[] => {
    const b = sides[1].find(
      ({ model, seed }) => (oneModel || model === a.model) && (oneSeed || seed === a.seed),
    );
    return b === undefined ? [] : [[a, b]];
  });
}

/** The settings in which the two sides differ; of each, the values of all its networks. */
function diffSettings(sides: Sides) {
  const [before, now] = [valuesOf(sides[0]), valuesOf(sides[1])];
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((name) => {
    const [a, b] = [[...(before.get(name) ?? [])].sort(), [...(now.get(name) ?? [])].sort()];
    return isSameJson(a, b) ? [] : [{ name, a, b }];
  });
}

function valuesOf(networks: readonly Network[]): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const { settings } of networks)
    for (const [name, value] of settings ?? []) values.set(name, (values.get(name) ?? new Set()).add(value));
  return values;
}

/** How much more accurate B is than A: of each two models, over the seeds that both have. */
function measureDifferences(pairs: readonly Pair[]) {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const models = JSON.stringify(pair.map(({ model }) => model));
    groups.set(models, [...(groups.get(models) ?? []), pair]);
  }
  const found = [...groups.values()].map((group) => {
    const table = tableOf(group);
    const seeds = group.map((_, i) => `${i}`);
    const problem = findProblem(group) ?? findUnpaired(table, seeds, ['A', 'B']);
    const networks = group.map(([a, b]) => (a.name === b.name ? a.name : `${a.name} → ${b.name}`));
    return { networks, problem, table, cells: problem === null ? sumCells(table, seeds, 'B', 'A') : null };
  });
  const all = found.flatMap(({ cells }) => cells ?? []);
  // One training on each side says nothing of others.
  const fixed = all.every(({ rows }) => rows.length === 1) ? 'seeds' : undefined;
  const contrasts = measureContrasts(all, { margin: 0, largest: 1, fixed });
  return found.map(({ networks, problem, table: { hasGroups }, cells }) => ({
    ...{ networks, problem },
    measured: cells && { ...contrasts[all.indexOf(cells)]!, design: nameDesign(cells, hasGroups) },
  }));
}

/** Why the answers of two sides cannot be compared; null if they can. */
function findProblem(pairs: readonly Pair[]): string | null {
  if (pairs.flat().some(({ answers }) => answers === null)) return 'the answers of a run are no longer kept';
  // A clip's name says nothing of what is in it: other simulated recordings have the same names.
  const isSame = ([a, b]: Pair) =>
    (['frames', 'recordings'] as const).some((one) => a.data[one] !== null && a.data[one] === b.data[one]);
  if (!pairs.every(isSame)) return 'they were, or may have been, tested on different recordings';
  // With folds, each seed has other people to test; and engines give the same up to rounding.
  const differing = [0, 1].flatMap((side) =>
    [...valuesOf(pairs.map((pair) => pair[side]!))].flatMap(([name, { size }]) => (size > 1 ? [name] : [])),
  );
  const mixed = new Set(differing.filter((name) => !/^(engine(s$|\.)|split\.)/.test(name)));
  return mixed.size > 0 ? `seeds were trained with different settings: ${[...mixed].join(', ')}` : null;
}

/** The answers of pairs, one after the other, as those of arms A and B. */
function tableOf(pairs: readonly Pair[]): AnswerTable {
  const hasGroups = pairs.flat().every(({ answers }) => answers?.every(({ user }) => user !== null));
  const groups = new Map<string, string>();
  const armOf = (side: 0 | 1) =>
    new Map(pairs.map((pair, i) => [`${i}`, nameAnswers(pair[side].answers ?? [], hasGroups, groups)]));
  return {
    ...{ isScore: false, hasGroups, groups },
    arms: new Map([
      ['A', armOf(0)],
      ['B', armOf(1)],
    ]),
  };
}

/**
 * Whether each clip was recognised: 0 or 1. A clip is known by its recording, its class, and how many of that class come before it there, since
 * runs may number clips differently.
 *
 * @param groups gets the group of each
 */
function nameAnswers(
  answers: readonly TestAnswer[],
  hasGroups: boolean,
  groups: Map<string, string>,
): Map<string, number> {
  const counts = new Map<string, number>();
  return new Map(
    answers.map(({ recording, user, class: label, predicted }) => {
      const kind = `${recording} class ${label}`;
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      const name = `${kind} ${count}`;
      groups.set(name, hasGroups ? `${user}` : name);
      return [name, Number(predicted === label)];
    }),
  );
}

interface Comparison {
  readonly runs: Readonly<Record<'a' | 'b', string>>;
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  readonly settings: ReturnType<typeof diffSettings>;
  readonly differences: ReturnType<typeof measureDifferences>;
}

/** For people: what differs in settings, then in test accuracy. */
function describe(found: Comparison, sides: Sides, colors: Colors): string[] {
  const { runs, onlyA, onlyB, settings, differences } = found;
  const networks = sides.flat();
  const isSimulated = networks.some((one) => one.settings?.get('simulated') === 'true');
  const isLost = networks.some((one) => one.settings === null);
  const show = (values: readonly string[]) => (values.length === 0 ? 'unset' : listSome(values));
  const rows = settings.map(({ name, a, b }) => [name, show(a), show(b)]);
  const only = (side: string, names: readonly string[]) =>
    names.length > 0 ? [`only in ${side}: ${names.join(' ')}`] : [];
  return [
    ...[`A  ${toOneLine(runs.a)}`, `B  ${toOneLine(runs.b)}`, ...only('A', onlyA), ...only('B', onlyB)],
    ...(isSimulated ? [colors.yellow('Simulated data: these results say nothing about the thesis.')] : []),
    ...['', colors.bold('Settings that differ')],
    ...(rows.length > 0 ? alignTable([['', 'A', 'B'], ...rows]) : ['none']).map((line) => `  ${line}`),
    ...(isLost ? ['  unknown for some: run.json of a training is no longer kept'] : []),
    ...['', colors.bold('Test accuracy, B - A')],
    ...(differences.length === 0 ? ['  No network of A has a counterpart in B.'] : []),
    ...differences.map((one) => `  ${describeDifference(one, differences.length)}`),
  ];
}

function describeDifference(
  { networks, problem, measured }: Comparison['differences'][number],
  count: number,
): string {
  const name = `${networks.join(', ')}:`;
  if (measured === null) return `${name} ${toOneLine(problem ?? '')}`;
  const { certainty, design } = measured;
  const corrected =
    certainty && count > 1 ? `; ${stateP(certainty.adjusted)} for ${count} differences (Holm)` : '';
  return `${describeContrast({ name, contrast: measured }, ACCURACY_UNIT)} over ${design}${corrected}`;
}
