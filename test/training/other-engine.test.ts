import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import type { Engine, EngineChoice } from '../../src/engines/engine.ts';
import { chooseEngine } from '../../src/engines/selection/engines.ts';
import { trainNetwork } from '../../src/training/loop.ts';
import { isAvailable } from '../native/support.ts';
import { compileProgram } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { outputsOf, smallTask } from './small-task.ts';

/** Both engines in one process: the second takes over the state of the first before a step. */
function relay(first: Engine, second: Engine, at: number): Engine {
  return {
    ...first,
    open: async (spec, initial) => {
      let session = await first.open(spec, initial);
      let steps = 0;
      return {
        trainStep: async (...step) => {
          if (steps === at) {
            const [state, optimiser] = [await session.state(), await session.optimiserState()];
            session.dispose();
            session = await second.open(spec, state, optimiser);
          }
          steps += 1;
          return session.trainStep(...step);
        },
        evaluate: (frames) => session.evaluate(frames),
        state: () => session.state(),
        optimiserState: () => session.optimiserState(),
        dispose: () => session.dispose(),
      };
    },
  };
}

describe.skipIf(!isAvailable)('a training whose process was killed within an epoch', () => {
  it.each<[EngineChoice, EngineChoice]>([
    ['native', 'wasm'],
    ['tfjs-cpu', 'native'],
  ])('by %s continues on %s, to the digits of both in one process', async (first, second) => {
    const folder = await temporaryFolder();
    const script = await compileProgram('test/training/killed-training.ts');
    const output = join(folder, 'output.json');
    const train = (engine: EngineChoice, deadly: string, minutes: string) =>
      spawnSync(
        process.execPath,
        [script, folder, join(folder, 'steps.log'), output, deadly, minutes, 'all', engine],
        { encoding: 'utf8' },
      );
    // With a save before the third batch, and none after it.
    expect(train(first, 'step 3', '3').signal).toBe('SIGKILL');
    const { stdout, stderr } = train(second, 'never', '1000');
    expect(stderr).toBe('');
    const engines = await Promise.all([first, second].map((one) => chooseEngine(one, { threads: 1 })));
    const [a, b] = engines.map(({ description: { name, backend, version } }) => ({ name, backend, version }));
    const text = `${a!.name} ${a!.version} on cpu; from epoch 1, batch 3, ${b!.name} ${b!.version} on cpu`;
    expect(stdout).toBe(`Resuming epoch 1 of 4 after 2 batches.\nTrained on several engines: ${text}.\n`);
    const whole = await trainNetwork(smallTask({}, { engine: relay(engines[0]!, engines[1]!, 2) }));
    const expected = [
      { fromEpoch: 0, fromBatch: 0, ...a },
      { fromEpoch: 0, fromBatch: 2, ...b },
    ];
    const { engines: found, ...outputs } = JSON.parse(await readFile(output, 'utf8'));
    expect(JSON.parse(found)).toEqual(expected);
    expect({ ...outputs, engines: '' }).toEqual({ ...outputsOf(whole), engines: '' });
  });
});
