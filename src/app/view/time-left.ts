import { type InstanceView, rateOf, secondsLeftOf } from './run-state.ts';

/** Of less than this, the lines of the running stages say enough. */
const secondsWorthSaying = 60;

/**
 * About how long the run of these instances still takes: all that is left of them, shared by as many as run at once, and at least as long as
 * the longest. Each takes as long as others of its stage on average. Stages of which nothing is known count as nothing, as the report.
 *
 * @param atOnce how many run at once
 * @returns null if it is less than a minute, and while nothing is known of what there is most of: several instances of one stage
 */
export function estimateSecondsLeft(
  instances: Iterable<InstanceView>,
  atOnce: number,
  nowMs: number,
): number | null {
  const stages = new Map<string, InstanceView[]>();
  for (const one of instances) {
    const stage = one.id.split('@', 1)[0] ?? one.id;
    const members = stages.get(stage);
    if (members === undefined) stages.set(stage, [one]);
    else members.push(one);
  }
  const left: number[] = [];
  let [most, mostKnown] = [2, 0];
  for (const members of stages.values()) {
    const unfinished = members.filter(({ state }) => state === 'waiting' || state === 'running');
    if (unfinished.length === 0) continue;
    most = Math.max(most, members.length);
    const usual = usualSeconds(members, nowMs);
    if (usual === null) continue;
    mostKnown = Math.max(mostKnown, members.length);
    left.push(...unfinished.map((one) => leftOf(one, usual, nowMs)));
  }
  if (mostKnown < most) return null;
  const total = left.reduce((sum, seconds) => sum + seconds, 0);
  const seconds = Math.max(total / Math.max(1, atOnce), ...left);
  return seconds < secondsWorthSaying ? null : seconds;
}

/** What instances of a stage take: those that are made, in this run or earlier, or else those that run, at their present rate. */
function usualSeconds(members: readonly InstanceView[], nowMs: number): number | null {
  const made = members.flatMap(({ madeInSeconds: seconds }) => (seconds === null ? [] : [seconds]));
  const atRate = (one: InstanceView): number[] => {
    const rate = rateOf(one, nowMs);
    const total = one.progress?.total ?? 0;
    return rate === null || !(total > 0) ? [] : [total / rate];
  };
  const known = made.length > 0 ? made : members.flatMap(atRate);
  return known.length === 0 ? null : known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
}

function leftOf(one: InstanceView, usual: number, nowMs: number): number {
  if (one.state === 'waiting') return usual;
  return secondsLeftOf(one, nowMs) ?? Math.max(0, usual - (nowMs - one.startedMs) / 1000);
}
