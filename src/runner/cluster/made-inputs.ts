import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { BatchTask } from './batch.ts';
import { settingsFile } from './settings.ts';
import { hasEnded, readTaskEnd } from './task-end.ts';
import { exist, foldersOf, waitUntilVisible } from './visible.ts';

/**
 * Waits until a node sees what the jobs before say they have made: it may take a while to appear there.
 *
 * @throws {ReproError} `not-visible` if it does not appear in time
 */
export async function awaitMadeInputs(
  { plan, records, folder }: Session,
  { id }: StageInstance,
  {
    task,
    patienceSeconds,
    signal,
  }: { readonly task: BatchTask; readonly patienceSeconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const before = plan.dependencies.get(id) ?? [];
  const outputs = before
    .flatMap((one) => plan.instances.get(one)?.outputs ?? [])
    .map((output) => path.resolve(plan.projectRoot, output));
  const made = new Map(task.after.map((one) => [one.id, one.endFile]));
  const isThere = (one: string): boolean => {
    const record = records.findLast(one);
    const endFile = made.get(one);
    // A runner that waited for that job alone has taken note of it, and removed what it left.
    if (endFile === undefined || !existsSync(path.dirname(endFile))) return record !== null;
    const end = readTaskEnd(endFile);
    return hasEnded(end) && 'fingerprint' in end && end.fingerprint === record?.fingerprint;
  };
  const areThere = await waitUntilVisible(async () => before.every(isThere) && (await exist(outputs)), {
    folders: [folder.jobs, folder.records, ...foldersOf([...made.values(), ...outputs])],
    ...{ patienceSeconds, signal },
  });
  if (areThere || signal.aborted) return;
  const missing = before.find((one) => !isThere(one)) ?? before[0] ?? id;
  throw new ReproError(
    'not-visible',
    `what "${missing}" has made does not appear on node ${os.hostname()} within ${patienceSeconds} s`,
    { where: settingsFile, fix: 'If its file system is only slow, raise `patience:`.' },
  );
}
