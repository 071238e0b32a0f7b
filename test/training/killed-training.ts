import { appendFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { CheckpointStore } from '../../src/training/checkpoint-store.ts';
import { trainNetwork } from '../../src/training/loop.ts';
import { outputsOf, smallTask } from './small-task.ts';

// Trains with checkpoints in a folder and kills its own process, without a chance to clean up, before one training step or one
// evaluation, counted from the first of this process. Each reading of the clock is a minute after the previous one. Notes go to stdout.
const [folder, log, output, deadly, saveEveryMinutes, validation] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  'all' | 'shuffled-drop-last',
];

let minutes = 0;
let evaluations = 0;
const dieAt = (moment: string) => {
  if (moment === deadly) process.kill(process.pid, 'SIGKILL');
};
const onStep = (step: number) => {
  dieAt(`step ${step}`);
  appendFileSync(log, `${step}\n`);
};

const task = smallTask(
  {
    onStep,
    onEvaluate: () => {
      evaluations += 1;
      dieAt(`evaluation ${evaluations}`);
    },
  },
  {
    checkpoints: new CheckpointStore(folder, (text) => process.stderr.write(`${text}\n`)),
    saveEveryMinutes: Number(saveEveryMinutes),
    clockMs: () => 60_000 * minutes++,
    compat: { ...COMPAT_DEFAULTS, validation },
    note: (text) => process.stdout.write(`${text}\n`),
  },
);
writeFileSync(output, JSON.stringify(outputsOf(await trainNetwork(task))));
