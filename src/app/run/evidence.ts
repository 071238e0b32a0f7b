import path from 'node:path';
import { getAt } from '../../base/schema/json.ts';
import type { ModelResult, RunResult } from '../../report/data/results.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { Interval } from '../../verdicts/stats/proportions.ts';
import { formatBarePoints, formatBareRange } from '../../verdicts/words.ts';
import { isSimulated } from '../project/dataset-files.ts';
import { stageNames } from '../project/stages.ts';
import { alignTopics } from '../view/print.ts';
import type { RunState } from '../view/run-state.ts';

/** What the seeds that are done say of a profile's question. Figures only: the verdict needs all seeds. */
interface Evidence {
  readonly baseline: string;
  readonly simulated: boolean;
  readonly seedsPlanned: number;
  /** Those for which all models are evaluated. */
  readonly seedsDone: number;
  /** In the profile's order; none once all seeds are done: then the report says it. */
  readonly arms: readonly {
    readonly model: string;
    /** The question's, unless the profile names another one. */
    readonly baseline: string;
    /** Those for which both are trained and evaluated. */
    readonly seedsDone: number;
    /** In test accuracy, a share, of the arm minus its baseline; null without such a seed. */
    readonly difference: number | null;
    /** 95 %; null while nothing says how far other seeds and users may be. */
    readonly interval: Interval | null;
  }[];
}

/**
 * Compares what is done so far as the report will, each arm on the seeds that it shares with its baseline.
 *
 * @param isDone whether the outputs of an instance are in place and up to date
 * @returns null if nothing is asked, or no arm has a seed yet
 * @throws {ReproError} `results-invalid`
 */
export async function readEvidence(plan: Plan, isDone: (id: string) => boolean): Promise<Evidence | null> {
  const ask = (...keys: string[]) => getAt(plan.settings, ['report', 'question', ...keys]);
  const [baseline, margin] = [ask('baseline'), ask('margin')];
  if (typeof baseline !== 'string' || typeof margin !== 'number') return null;
  const evaluations = [...plan.instances.values()].filter(({ stage }) => stage === stageNames.evaluate);
  const seeds = new Set(evaluations.map(({ matrix }) => matrix.seed));
  const open = new Set(evaluations.flatMap(({ id, matrix }) => (isDone(id) ? [] : [matrix.seed])));
  const found = {
    ...{ baseline, seedsPlanned: seeds.size, seedsDone: seeds.size - open.size },
    simulated: isSimulated(plan.settings),
  };
  if (open.size === 0) return { ...found, arms: [] };
  // Loaded only where something is asked.
  const { readRunResult } = await import('../../report/inputs/run.ts');
  const { answerQuestion } = await import('../../report/data/question.ts');
  const runs = new Map(evaluations.map(({ matrix }) => [String(matrix.model), [] as RunResult[]]));
  for (const { id, matrix, outputs } of evaluations) {
    const model = String(matrix.model);
    const training = plan.instances.get(`${stageNames.train}@${model},${matrix.seed}`);
    if (training === undefined || !isDone(training.id) || !isDone(id)) continue;
    const [train = '', evaluate = ''] = [training.outputs[0], outputs[0]].map((folder = '') =>
      path.join(plan.projectRoot, folder),
    );
    runs.get(model)?.push(await readRunResult({ train, evaluate }, { model, seed: Number(matrix.seed) }));
  }
  /** A model with those of its runs whose seeds another one has, too. */
  const shared = (id: string, some: readonly RunResult[], others: readonly RunResult[]): ModelResult => ({
    ...{ id, title: id, published: null, train: {} },
    runs: some.filter(({ seed }) => others.some((other) => other.seed === seed)),
  });
  const others = [...runs].filter(([model]) => model !== baseline);
  const arms = others.map(([model, theirs]) => {
    const id = String(ask('against', model) ?? baseline);
    const base = runs.get(id) ?? [];
    const models = [shared(id, base, theirs), shared(model, theirs, base)];
    const [arm] = answerQuestion({ models }, { baseline: id, margin })?.arms ?? [];
    const [seedsDone, interval] = [arm?.seeds.length ?? 0, arm?.certainty?.interval ?? null];
    const difference = seedsDone === 0 ? null : (arm?.difference ?? null);
    return { model, baseline: id, seedsDone, difference, interval };
  });
  return arms.some(({ seedsDone }) => seedsDone > 0) ? { ...found, arms } : null;
}

/** The lines of `repro status`. */
export function describeEvidence({ arms, baseline, seedsPlanned, simulated }: Evidence): string[] {
  if (arms.length === 0)
    return [`All ${seedsPlanned} seeds are done: the answer is in the report, once it is up to date.`];
  const rows = arms.map(({ seedsDone, difference, interval, ...arm }): [string, string] => {
    const done = `${String(seedsDone).padStart(String(seedsPlanned).length)} of ${seedsPlanned} seeds`;
    const range = interval === null ? 'no interval yet' : `95 % interval ${formatBareRange(interval)}`;
    return [
      nameArm(arm, baseline),
      difference === null ? done : `${done}  ${formatBarePoints(difference)} points (${range})`,
    ];
  });
  return [
    `Evidence so far${whichData(simulated)}: test accuracy compared with ${baseline}`,
    ...alignTopics(rows).map((line) => `  ${line}`),
    `The verdict is that of all ${seedsPlanned} seeds. Looking earlier changes nothing: do not stop because of these figures.`,
  ];
}

/** The same in one line, for a run that continues. */
function summariseEvidence({ arms, baseline, seedsDone, seedsPlanned, simulated }: Evidence): string {
  const said = arms.flatMap(({ difference, interval, ...arm }) => {
    const range = interval === null ? '' : ` (${formatBareRange(interval)})`;
    return difference === null ? [] : [`${nameArm(arm, baseline)} ${formatBarePoints(difference)}${range}`];
  });
  const what = `${said.join(', ')} points compared with ${baseline}`;
  return `Evidence after ${seedsDone} of ${seedsPlanned} seeds${whichData(simulated)}: ${what}; the verdict is that of all ${seedsPlanned}`;
}

/** @param usual what arms are compared with unless they say otherwise */
function nameArm({ model, baseline }: Pick<Evidence['arms'][number], 'model' | 'baseline'>, usual: string) {
  return baseline === usual ? model : `${model} (compared with ${baseline})`;
}

/** Results on simulated recordings are marked everywhere. */
function whichData(simulated: boolean): string {
  return simulated ? ' on simulated recordings' : '';
}

/** Says in a note what there is so far, after each seed except the last: all its models are evaluated. */
export function followEvidence(plan: Plan, state: RunState, take: (event: RunEvent) => void) {
  let told = Promise.resolve();
  const isDone = (id: string): boolean =>
    ['cached', 'finished'].includes(state.instances.get(id)?.state ?? '');
  const isWhole = (seed: unknown): boolean =>
    [...plan.instances.values()].every(
      ({ id, stage, matrix }) => stage !== stageNames.evaluate || matrix.seed !== seed || isDone(id),
    );
  const tell = async (id: string): Promise<void> => {
    // Others may have begun already.
    const evidence = await readEvidence(plan, (one) => isWhole(plan.instances.get(one)?.matrix.seed));
    if (evidence === null || evidence.arms.length === 0) return;
    take({ kind: 'note', id, level: 'note', text: summariseEvidence(evidence) });
  };
  return {
    /** @param event that `state` already includes */
    follow(event: RunEvent): void {
      const ended = event.kind === 'finished' ? plan.instances.get(event.id) : undefined;
      if (ended?.stage !== stageNames.evaluate) return;
      // This only informs: of what cannot be read, the report gives the reason.
      if (isWhole(ended.matrix.seed)) told = told.then(() => tell(ended.id)).catch(() => {});
    },
    settled: (): Promise<void> => told,
  };
}
