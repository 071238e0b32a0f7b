import { nameRun, type RunFacts } from '../baseline.ts';
import { type Finding, judgeSize, skip } from '../finding.ts';
import { listValues } from '../run-values.ts';
import type { Pair } from './pair.ts';

/**
 * The same engine must give the same numbers, to the last digit that a baseline keeps: nothing is allowed. This notices whatever changes the
 * arithmetic, however little it does to the results, such as another schedule of the learning rate or another choice of the epoch.
 */
export function judgeSameDigits({ before, now }: Pair): Finding {
  const rule = 'same digits';
  const subject = nameRun(now);
  const obstacle = findObstacle(before, now);
  if (obstacle !== null) return skip(rule, subject, obstacle);
  const old = new Map(listAll(before, now).map(({ name, value }) => [name, value]));
  const shared = listAll(now, before).filter(({ name }) => old.has(name));
  const differing = shared.filter(({ name, value }) => value !== old.get(name));
  const [first] = differing;
  if (first === undefined)
    return judgeSize(rule, subject, shared.length === 0 ? Number.NaN : 0, `${shared.length} values: equal`);
  const text = `${differing.length} of ${shared.length} values differ, the first of them: ${first.name} ${first.value}, ${old.get(first.name)} in the baseline; the same engine must give the same`;
  return judgeSize(rule, subject, Number.POSITIVE_INFINITY, text);
}

/** Why values need not be equal; null if they must be. */
function findObstacle(before: RunFacts, now: RunFacts): string | null {
  if (now.engine !== before.engine)
    return `another engine, ${now.engine}; the baseline's is ${before.engine}, so tolerances apply`;
  if (/ cuda /.test(now.engine)) return 'a GPU adds in no fixed order, so tolerances apply';
  return now.engine === 'unknown' ? 'the engine is not known, so tolerances apply' : null;
}

/** The values of a run; those of its end only if the other has as many epochs. */
function listAll(
  run: RunFacts,
  other: RunFacts,
): { readonly name: string; readonly value: number | string }[] {
  const values: { name: string; value: number | string }[] = [...listValues(run)];
  if (run.epochs !== other.epochs) return values;
  values.push({ name: 'chosen epoch', value: run.chosenEpoch });
  if (run.evaluationEngine === other.evaluationEngine)
    values.push({ name: 'wrong test clips', value: run.test.wrong.join(', ') || 'none' });
  return values;
}
