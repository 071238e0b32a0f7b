import { describeError } from '../../errors.ts';
import { explainLost, type StaleReason } from '../freshness/differences.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkInstances, type Session } from '../freshness/session.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Resources, StageInstance } from '../plan/plan.ts';
import type { RunEvent } from './events.ts';
import { ExpectedTimes, type ExpectedTotal, expectDuration } from './expected-time.ts';
import { describeShortage, type MachineResources } from './machine.ts';
import { createHitEvent, forcedReason } from './preparation.ts';

interface RehearsalOptions {
  readonly isForced: (id: string) => boolean;
  readonly facts: Facts;
  readonly jobs: number;
  readonly usesOthers: boolean;
  readonly measure: (wanted: readonly Resources[]) => MachineResources;
  readonly onEvent: (event: RunEvent) => void;
}

/**
 * What `run` would do and how long it would take, as far as that can be known beforehand.
 *
 * @returns undefined for a run on a cluster: earlier runs may have been this machine's, and how long jobs wait nobody knows
 */
export async function rehearse(
  session: Session,
  ids: readonly string[],
  options: RehearsalOptions,
): Promise<ExpectedTotal | undefined> {
  const { plan, records } = session;
  const { isForced, onEvent } = options;
  const times = new ExpectedTimes(plan, records, options.facts);
  const seconds = new Map<string, number>();
  const waiting: StageInstance[] = [];
  let unknown = 0;
  for await (const { instance, freshness } of checkInstances(session, ids, isForced)) {
    const { id } = instance;
    if ('record' in freshness && !isForced(id)) {
      onEvent(createHitEvent(id, freshness, true));
      for (const { text } of explainLost(freshness.lost)) onEvent({ kind: 'note', id, level: 'note', text });
      continue;
    }
    const reasons: readonly StaleReason[] =
      isForced(id) || !('reasons' in freshness) ? [forcedReason] : freshness.reasons;
    const parts = 'parts' in freshness ? freshness.parts : null;
    const expected = options.usesOthers ? null : times.find(instance, parts);
    if (expected === null) unknown += 1;
    seconds.set(id, expected?.seconds ?? 0);
    onEvent({ kind: 'would-run', id, reasons, expected });
    if ('error' in freshness && freshness.error !== undefined) {
      onEvent({ kind: 'note', id, level: 'warning', text: describeError(freshness.error) });
    }
    waiting.push(instance);
  }
  const resourcesOf = (id: string): Resources => instanceOf(plan, id).resources;
  // A cluster, not the runner, knows what its machines have.
  const machine = options.usesOthers ? null : options.measure([...seconds.keys()].map(resourcesOf));
  for (const instance of waiting) {
    const { id, command, resources } = instance;
    const warn = (text: string): void => onEvent({ kind: 'note', id, level: 'warning', text });
    const shortage = machine && describeShortage(resources, machine);
    if (shortage !== null) warn(shortage);
    if (command.kind !== 'module') continue;
    await session.closures.readInstalled(command.path).catch((error: unknown) => warn(describeError(error)));
  }
  if (machine === null) return undefined;
  const duration = await expectDuration(
    {
      ...{ ids, resourcesOf, machine, jobs: options.jobs },
      dependenciesOf: (id) => plan.dependencies.get(id) ?? [],
    },
    (id) => seconds.get(id) ?? null,
  );
  return { seconds: duration, unknown };
}
