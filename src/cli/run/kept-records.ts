import process from 'node:process';
import type { Plan } from '../../runner/plan/plan.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import { committedFolder } from '../../runner/store/cache-folder.ts';
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
  const { RecordWriter } = await import('../../runner/freshness/committed-records.ts');
  const { openRecords } = await import('../../runner/store/records.ts');
  const records = openRecords(plan);
  const writer = new RecordWriter(plan, (id) => records.findLast(id));
  return {
    note: (event) => {
      if (event.kind !== 'finished' && (event.kind !== 'cached' || event.isRehearsal)) return;
      const instance = plan.instances.get(event.id);
      if (instance !== undefined) writer.update(instance);
    },
    finish: async (isWhole) => {
      const written = await writer.settle();
      const removed = isWhole ? await writer.prune() : [];
      const count = written.length + removed.length;
      if (count === 0) return;
      process.stderr.write(
        `${count} ${count === 1 ? 'record' : 'records'} in ${committedFolder}/${profile} changed: commit them with what they belong to\n`,
      );
    },
  };
}
