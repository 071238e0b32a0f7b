import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { listSome } from '../../base/text.ts';
import type { Baseline, RunFacts } from '../../report/baseline/baseline.ts';
import { baselinePathOf, formatBaseline } from '../../report/baseline/baseline.ts';
import { readFramesFacts, readKeptAnswers, readRunFacts } from '../../report/baseline/collect.ts';
import { readResultFile } from '../../results/stage-files.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { type ReportVerdicts, readVerdictsFile } from '../../verdicts/claims-file.ts';
import { factsOf } from '../project/facts.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from '../project/load-plan.ts';
import { stageNames } from '../project/stages.ts';
import { printResult } from '../view/print.ts';

/**
 * `repro baseline update`: writes what the last run gave as the baseline of its profile. The file has a line for each fact, so git shows
 * what changes.
 *
 * @throws {ReproError} `baseline-overridden`, `no-results`, `results-stale`
 */
export async function updateBaseline(options: PipelineOptions): Promise<void> {
  refuseOverrides(options.set);
  const plan = await loadSelectedPlan(options);
  const file = baselinePathOf(plan.profile);
  const target = path.join(plan.projectRoot, file);
  const kept = await readKeptAnswers(plan.projectRoot, plan.profile);
  const content = formatBaseline(await collectFresh(plan, options), kept);
  const written = (await readFile(target, 'utf8').catch(() => null)) !== content;
  if (written) await writeFileAtomic(target, content);
  printResult(options, 'baseline update', { profile: plan.profile, file, written }, () => [
    written ? `written  ${file}; git diff shows what changed` : `${file} is as it should be`,
  ]);
}

/** These change where data are or how fast it computes, not the results. */
const harmless: ReadonlySet<string> = new Set(['dataset.root', 'threads']);

function refuseOverrides(set: readonly string[]): void {
  const other = set.find((assignment) => !harmless.has(assignment.split('=', 1)[0]?.trim() ?? ''));
  if (other === undefined) return;
  throw new ReproError('baseline-overridden', 'a baseline can be written only for an unchanged profile.', {
    where: `--set ${other}`,
    fix: 'Leave this out, change the profile, or make one of your own in configs/profiles.',
  });
}

async function collectFresh(plan: Plan, options: PipelineOptions): Promise<Baseline> {
  assertHasResults(plan);
  const results = await findResults(plan);
  if (results.kind === 'fresh') return collectBaseline(plan, results.statuses, await readVerdicts(plan));
  const ids = results.stale.map(({ id }) => id);
  const problem = `${listSome(ids, 3)}: not up to date, so no baseline can be made.`;
  throw new ReproError('results-stale', problem, {
    fix: `Run first: ./repro run ${quoteWords(pipelineArguments({ ...options, profile: plan.profile }))}`,
  });
}

/** The stages whose results are judged. */
const judged = [stageNames.frames, stageNames.train, stageNames.evaluate, stageNames.report];

/** @throws {ReproError} `no-results` if a plan has not the stages of the reproduction */
export function assertHasResults(plan: Plan): void {
  const stages = new Set([...plan.instances.values()].map(({ stage }) => stage));
  if (judged.every((stage) => stages.has(stage))) return;
  const problem =
    'this pipeline has no networks to train and evaluate: its stages are not those of the reproduction.';
  throw new ReproError('no-results', problem, { where: 'pipeline.yaml' });
}

/** The results of the last run, if they are those of the present code, configuration and data. */
type LastResults =
  | { readonly kind: 'fresh'; readonly statuses: readonly InstanceStatus[] }
  /** At least one instance is not up to date. */
  | { readonly kind: 'stale'; readonly stale: readonly InstanceStatus[] };

/** @param selected instances that count; default: the report and what it depends on, whatever other stages there are */
export async function findResults(
  plan: Plan,
  selected: ReadonlySet<string> = selectInstances(plan, { targets: [stageNames.report] }).selected,
): Promise<LastResults> {
  const statuses = await readStatus(plan, { facts: factsOf(plan), selected });
  // `restorable` does not count: its outputs are not in place.
  const stale = statuses.filter(({ state }) => state !== 'fresh');
  return stale.length === 0 ? { kind: 'fresh', statuses } : { kind: 'stale', stale };
}

/**
 * Collects the results in place as a baseline.
 *
 * @throws {ReproError} `results-invalid` or `frames-invalid`, naming the file and the command that makes it again
 */
export async function collectBaseline(
  plan: Plan,
  statuses: readonly InstanceStatus[],
  { claims, question }: ReportVerdicts,
): Promise<Baseline> {
  const records = new Map(statuses.map(({ id, record }) => [id, record]));
  const instancesOf = (stage: string) => [...plan.instances.values()].filter((one) => one.stage === stage);
  const [frames] = instancesOf(stageNames.frames);
  if (frames === undefined) throw new RangeError('the plan has no stage "frames"');
  const runs: RunFacts[] = [];
  for (const train of instancesOf(stageNames.train)) {
    const { model, seed } = train.matrix;
    const evaluate = instancesOf(stageNames.evaluate).find(
      (one) => one.matrix.model === model && one.matrix.seed === seed,
    );
    if (evaluate === undefined) continue;
    const engineOf = ({ id }: StageInstance) => records.get(id)?.parts.facts.engine ?? 'unknown';
    const folders = { train: placeOf(plan, train), evaluate: placeOf(plan, evaluate) };
    runs.push(
      await readRunFacts(folders, {
        model: String(model),
        seed: Number(seed),
        engine: engineOf(train),
        evaluationEngine: engineOf(evaluate),
      }),
    );
  }
  const facts = await readFramesFacts(placeOf(plan, frames), records.get(frames.id)?.metrics ?? {});
  const verdicts = Object.fromEntries(claims.map(({ id, verdict }) => [id, verdict]));
  const answers = question?.arms.map(({ model, verdict }) => [model, verdict] as const);
  return {
    ...{ profile: plan.profile, ...facts, runs, claims: verdicts },
    ...(answers === undefined ? {} : { question: Object.fromEntries(answers) }),
  };
}

/** What the report says of each claim, and of the profile's question. */
export async function readVerdicts(plan: Plan): Promise<ReportVerdicts> {
  const report = [...plan.instances.values()].find(({ stage }) => stage === stageNames.report);
  if (report === undefined) throw new RangeError('the plan has no stage "report"');
  return readVerdictsFile(await readResultFile(path.join(placeOf(plan, report), 'claims.json'), report.id));
}

function placeOf({ projectRoot }: Plan, { outputs }: StageInstance): string {
  return path.join(projectRoot, outputs[0] ?? '');
}
