import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { cancelJobs } from '../../runner/cluster/cancel-jobs.ts';
import { listOutstanding } from '../../runner/jobs/jobs-folder.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import type { SignalListener } from '../signals.ts';

/** How long a second Ctrl-C is waited for. */
const secondPressWithinMs = 3_000;

/** Says that jobs go on without this run; on a terminal, a second Ctrl-C, before or after that, asks whether they shall. */
export async function leave(plan: Plan, signals: SignalListener): Promise<void> {
  const folder = cacheFolderOf(plan);
  const count = listOutstanding(folder).length;
  if (count === 0) return;
  const [jobs, go, them] = count === 1 ? ['1 job', 'goes', 'it'] : [`${count} jobs`, 'go', 'them'];
  process.stderr.write(
    `${jobs} on the cluster ${go} on. \`./repro attach\` waits for ${them}, \`./repro cancel\` ends ${them}.\n`,
  );
  const isOnTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (signals.received() !== 'SIGINT' || !isOnTerminal) return;
  const { again } = signals;
  if (!again.aborted) {
    process.stderr.write(`To end ${them} now, press Ctrl-C again.\n`);
    await wait(secondPressWithinMs, undefined, { signal: again }).catch(() => {});
  }
  if (!again.aborted || !(await asks(`Cancel ${jobs}? [y/N] `))) return;
  await cancelJobs(folder, [], process.env);
  process.stderr.write(`${jobs} cancelled\n`);
}

async function asks(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Another Ctrl-C is no consent.
  const none = new AbortController();
  lines.on('SIGINT', () => none.abort());
  try {
    return /^y(es)?$/i.test((await lines.question(question, { signal: none.signal })).trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
