import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { Slurm } from '../../src/executors/slurm/slurm.ts';
import { JobWatch } from '../../src/runner/cluster/job-watch.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { createSlurm } from './fake-slurm.ts';
import { JobsFolder } from './jobs-folder.ts';

async function watch(slurm: Slurm, hasAccounting = false) {
  const folder = await (await JobsFolder.create()).add(['a']);
  const batch = folder.readBatch();
  if (batch === null) throw new Error('no batch');
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => {
    events.push(event);
  };
  const options = { hasAccounting, pollSeconds: 0.05, patienceSeconds: 0, onEvent };
  const followed = new JobWatch({ slurm, ...options }).follow({ batch, folder }, 0, 'a');
  const texts = () => events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
  return { folder, followed, texts };
}

test('a file of a job that cannot be read is told once, and looked at again: the job goes on', async () => {
  const slurm = await createSlurm({ squeue: "echo '1|N/A|RUNNING|0:05|node7|None'" });
  const { folder, followed, texts } = await watch(slurm);
  mkdirSync(folder.endFile(0));
  mkdirSync(folder.eventsFile(0));
  await vi.waitFor(() => expect(texts()).toHaveLength(1));
  rmdirSync(folder.eventsFile(0));
  rmdirSync(folder.endFile(0));
  writeFileSync(folder.eventsFile(0), '{"kind":"interrupted","id":"a"}\n');
  await JobsFolder.end(folder, 0, 'done');
  expect(await followed).toMatchObject({ verdict: { kind: 'done' }, last: { kind: 'interrupted' } });
  expect(texts()).toEqual([expect.stringMatching(/cannot be read now; trying again: .*EISDIR/)]);
});

test('commands of Slurm that are there no longer are an error of whatever is followed', async () => {
  const { followed } = await watch(new Slurm({ PATH: '/nowhere' }));
  await expect(followed).rejects.toThrow("`squeue` is not a program on this machine's PATH");
});

test('accounting that does not answer about a job that the queue has forgotten is told once, and asked again', async () => {
  const sacct = `echo asked >> "$0.log"; [ "$(wc -l < "$0.log")" -lt 4 ] && { echo 'Connection refused' >&2; exit 1; }
echo '1|OUT_OF_MEMORY|00:00:05|node7|0:125'`;
  const { followed, texts } = await watch(await createSlurm({ squeue: 'true', sacct }), true);
  expect(await followed).toMatchObject({ verdict: { kind: 'failed', code: 'out-of-memory' } });
  expect(texts()).toEqual([
    "Slurm's accounting does not answer (Connection refused); the fate of jobs that have left the queue is unknown; asking again every 0.05 s",
  ]);
});
