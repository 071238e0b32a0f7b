import { appendFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { CheckpointStore } from '../../src/training/checkpoint-store.ts';
import { trainNetwork } from '../../src/training/loop.ts';
import { outputsOf, smallTask } from './small-task.ts';

// Trains with checkpoints in a folder and kills its own process, without a chance to clean up, before one step.
const [folder, log, output, deadly] = process.argv.slice(2) as [string, string, string, string];

const task = smallTask(
  {
    onStep: (step) => {
      if (step === Number(deadly)) process.kill(process.pid, 'SIGKILL');
      appendFileSync(log, `${step}\n`);
    },
  },
  { checkpoints: new CheckpointStore(folder, (text) => process.stderr.write(`${text}\n`)) },
);
writeFileSync(output, JSON.stringify(outputsOf(await trainNetwork(task))));
