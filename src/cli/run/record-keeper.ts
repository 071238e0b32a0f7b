import process from 'node:process';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import { committedFolder } from '../../runner/store/cache-folder.ts';
import { formatCount } from '../../text.ts';
import { printWarning } from '../view/print.ts';

/** What a run does with the records in repro.lock. */
export interface KeptRecords {
  note(event: RunEvent): void;
  /**
   * Waits until all are written, and says which changed.
   *
   * @param isWhole whether the run covered all of the profile; only then, records that belong to none of its instances are removed
   */
  finish(isWhole: boolean): Promise<void>;
}

/** The committed records that a run of this plan keeps in step; null if its profile has none. Most have none, so loaded on demand. */
export async function openKeptRecords(plan: Plan): Promise<KeptRecords | null> {
  const { profile, recordedProfiles, trial } = plan;
  if (!recordedProfiles.includes(profile)) return null;
  if (trial !== undefined) {
    return {
      note: () => {},
      finish: async () =>
        printWarning(
          `with ${trial.overrides.join(', ')}, this is not a plain run of profile ${profile}, so ${committedFolder} is left as it is`,
        ),
    };
  }
  const { pruneCommittedRecords, writeCommittedRecords } = await import(
    '../../runner/freshness/committed-records.ts'
  );
  const { openRecords } = await import('../../runner/store/records.ts');
  const records = openRecords(plan);
  const noted = new Set<StageInstance>();
  return {
    note: (event) => {
      if (event.kind !== 'finished' && (event.kind !== 'cached' || event.isRehearsal)) return;
      const instance = plan.instances.get(event.id);
      if (instance !== undefined) noted.add(instance);
    },
    finish: async (isWhole) => {
      const written = await writeCommittedRecords(plan, noted, (id) => records.findLast(id));
      const removed = isWhole ? await pruneCommittedRecords(plan) : [];
      const count = written.length + removed.length;
      if (count === 0) return;
      process.stderr.write(
        `${formatCount(count, 'record')} in ${committedFolder}/${profile} changed: commit them with what they belong to\n`,
      );
    },
  };
}
