import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadSelectedPlan } from '../../apps/load-plan.ts';
import { describeError, ReproError } from '../../errors.ts';
import { readClusterSettings } from '../../runner/cluster/cluster-settings.ts';
import { runStageJob } from '../../runner/cluster/stage-job.ts';
import { listenForJobSignals, nameOfThisJob } from '../../runner/cluster/this-job.ts';
import { BatchFolder } from '../../runner/jobs/batch.ts';
import { isRightJob } from '../../runner/jobs/claim.ts';
import { writeTaskEnd } from '../../runner/jobs/task-end.ts';

/** `repro stage-job`: what a job on a node runs. */
export async function stageJob(root: string, indexText: string): Promise<void> {
  const index = Number(indexText);
  const folder = new BatchFolder(root);
  const batch = folder.readBatch();
  const task = Number.isSafeInteger(index) ? folder.readTask(index) : null;
  if (batch === null || task === null) {
    throw new ReproError('no-such-job', `there is no task ${indexText} of a submitted job`, {
      where: root,
      fix: '`./repro run --executor slurm` submits jobs; this command is what they run.',
    });
  }
  if (!(await isRightJob(folder.claimFile, process.env))) {
    // Whatever waits for the batch waits for the other one.
    process.stderr.write('another job was submitted for this; this one has nothing to do\n');
    return;
  }
  const signals = listenForJobSignals(process);
  try {
    // The script holds a warning back until then.
    await writeFile(folder.listeningFile(index), '');
    const { profile, set } = batch.selection;
    const plan = await loadSelectedPlan({ ...(profile === null ? {} : { profile }), set });
    process.exitCode = await runStageJob({
      ...{ plan, folder, index, task },
      settings: await readClusterSettings(plan.projectRoot),
      facts: factsOf(plan.projectRoot),
      environment: process.env,
      signals,
    });
  } catch (error) {
    // What the runner shows is in the file; the log of the job has it, too.
    const code = error instanceof ReproError ? error.code : 'internal';
    const end = { version: 1, kind: 'failed', code, text: describeError(error) } as const;
    const job = nameOfThisJob(process.env);
    try {
      await writeTaskEnd(folder.endFile(index), { ...end, job, node: os.hostname() });
    } catch (cause) {
      // The disk that failed may be the reason for both.
      process.stderr.write(`${end.text}\n`);
      throw cause;
    }
    throw error;
  }
}
