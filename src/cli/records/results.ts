import path from 'node:path';
import type { Baseline, RunFacts } from '../../baseline/baseline.ts';
import { readFramesFacts, readRunFacts } from '../../baseline/collect.ts';
import { type ClaimVerdict, readClaims } from '../../results/claims-file.ts';
import { readResultFile } from '../../results/result-file.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { factsOf } from '../doctor/facts.ts';

/** The stages whose results are judged. */
const judged = ['frames', 'train', 'evaluate', 'report'] as const;

/** Whether a plan trains and evaluates networks, and reports on them; others have only records to check. */
export function hasResults(plan: Plan): boolean {
  const stages = new Set([...plan.instances.values()].map(({ stage }) => stage));
  return judged.every((stage) => stages.has(stage));
}

/** The results of the last run, if they are those of the present code, configuration and data. */
export type LastResults =
  | { readonly kind: 'fresh'; readonly statuses: readonly InstanceStatus[] }
  /** At least one instance is not up to date. */
  | { readonly kind: 'stale'; readonly stale: readonly InstanceStatus[] };

export async function findResults(plan: Plan): Promise<LastResults> {
  const statuses = await readStatus(plan, { facts: factsOf(plan.projectRoot) });
  // One that can be restored is not in its place.
  const stale = statuses.filter(({ state }) => state !== 'fresh');
  return stale.length === 0 ? { kind: 'fresh', statuses } : { kind: 'stale', stale };
}

/**
 * What a baseline holds, of the results in place.
 *
 * @throws {ReproError} `results-invalid` or `frames-invalid`, naming the file and the command that makes it again
 */
export async function collectResults(plan: Plan, statuses: readonly InstanceStatus[]): Promise<Baseline> {
  const records = new Map(statuses.map(({ id, record }) => [id, record]));
  const instancesOf = (stage: string) => [...plan.instances.values()].filter((one) => one.stage === stage);
  const [frames] = instancesOf('frames');
  if (frames === undefined) throw new RangeError('the plan has no stage "frames"');
  const runs: RunFacts[] = [];
  for (const train of instancesOf('train')) {
    const { model, seed } = train.matrix;
    const evaluate = instancesOf('evaluate').find(
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
  const claims = await readVerdicts(plan);
  const verdicts = Object.fromEntries(claims.map(({ id, verdict }) => [id, verdict]));
  return { profile: plan.profile, ...facts, runs, claims: verdicts };
}

/** What the report says of each claim. */
export async function readVerdicts(plan: Plan): Promise<ClaimVerdict[]> {
  const report = [...plan.instances.values()].find(({ stage }) => stage === 'report');
  if (report === undefined) throw new RangeError('the plan has no stage "report"');
  return readClaims(await readResultFile(path.join(placeOf(plan, report), 'claims.json'), report.id));
}

function placeOf({ projectRoot }: Plan, { outputs }: StageInstance): string {
  return path.join(projectRoot, outputs[0] ?? '');
}
