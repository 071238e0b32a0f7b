import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { tryEngine } from '../../src/app/project/engine-trial.ts';
import { askApart } from '../../src/app/project/gpu-probes.ts';
import type { Engine } from '../../src/network/engines/engine.ts';
import { chooseEngine } from '../../src/network/engines/selection/engines.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { repository } from '../runner/rig/cli-project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { smallNetwork } from '../training/small-task.ts';

const network = {
  spec: buildNetwork(smallNetwork),
  ...{ steps: 2, samples: 3, atOnce: 2, threads: 1, golden: path.join(repository, 'test/golden') },
};

describe('trying an engine', () => {
  const tryWith = (change: (engine: Engine) => Engine, tried = network) =>
    tryEngine('wasm', tried, async (...all) => change(await chooseEngine(...all)));

  test('finds it right, and measures its steps in the batch of the training', async () => {
    const batches = new Set<number>();
    const answer = await tryWith((engine) =>
      withSession(engine, (session) => ({
        ...session,
        trainStep: (batch, ...rest) => {
          batches.add(batch.frames.shape[0]);
          return session.trainStep(batch, ...rest);
        },
      })),
    );
    expect(answer).toMatchObject({ isRight: true, problem: null, speed: { samples: 3 } });
    expect(answer.speed?.training).toBeGreaterThan(0);
    expect(answer.speed?.evaluation).toBeGreaterThan(0);
    expect(answer.speed?.gradient).toBeGreaterThan(0);
    // PyTorch's network has four.
    expect(batches).toEqual(new Set([4, 3]));
  });

  test('finds out that a device computes wrong numbers, and measures nothing', async () => {
    const answer = await tryWith((engine) =>
      withSession(engine, (session) => ({
        ...session,
        trainStep: async (...all) => {
          const found = await session.trainStep(...all);
          return { ...found, loss: found.loss * 1.001 };
        },
      })),
    );
    expect(answer).toEqual({ isRight: false, speed: null, problem: "losses differ from PyTorch's" });
  });

  test('takes a loss that is not a number for a failure, even where the small network was right', async () => {
    let opened = 0;
    const answer = await tryWith((engine) => {
      const spoiled = withSession(engine, (session) => ({
        ...session,
        trainStep: async (...all) => ({ ...(await session.trainStep(...all)), loss: NaN }),
      }));
      return { ...engine, open: (...all) => (opened++ === 0 ? engine : spoiled).open(...all) };
    });
    expect(answer).toEqual({ isRight: null, speed: null, problem: 'the loss of a step is NaN' });
  });

  test('says why it computes nothing: without memory, or without the numbers to compare with', async () => {
    let opened = 0;
    const full = (first: boolean) =>
      tryWith((engine) => ({
        ...engine,
        open: (...all) =>
          opened++ === (first ? 0 : 1)
            ? Promise.reject(new Error('out of memory\nat …'))
            : engine.open(...all),
      }));
    // Both may be different the next time.
    for (const first of [true, false]) {
      opened = 0;
      expect(await full(first)).toEqual({
        ...{ isRight: null, speed: null },
        problem: expect.stringContaining('out of memory'),
      });
    }
    const none = await tryWith((engine) => engine, { ...network, golden: path.join(network.golden, 'none') });
    expect(none).toMatchObject({ isRight: null, problem: expect.stringContaining('does not exist') });
    const golden = await temporaryFolder();
    const { cases } = JSON.parse(readFileSync(path.join(network.golden, 'index.json'), 'utf8'));
    writeFileSync(path.join(golden, 'index.json'), JSON.stringify({ cases: { lif_00: cases.lif_00 } }));
    cpSync(path.join(network.golden, 'lif_00.safetensors'), path.join(golden, 'lif_00.safetensors'));
    const other = await tryWith((engine) => engine, { ...network, golden });
    expect(other).toEqual({
      ...{ isRight: null, speed: null },
      problem: `PyTorch's numbers are not in ${golden}`,
    });
  });
});

function withSession(
  engine: Engine,
  change: (session: Awaited<ReturnType<Engine['open']>>) => Awaited<ReturnType<Engine['open']>>,
): Engine {
  return {
    ...engine,
    open: async (...all) => {
      const session = await engine.open(...all);
      return change({
        trainStep: (...given) => session.trainStep(...given),
        evaluate: (...given) => session.evaluate(...given),
        state: () => session.state(),
        optimiserState: () => session.optimiserState(),
        dispose: () => session.dispose(),
      });
    },
  };
}

describe('an engine in a process of its own', () => {
  const run = (script: string, limits: { timeout?: number; signal?: AbortSignal } = {}) =>
    askApart([process.execPath, '-e', script], 'problem', (problem) => ({ problem }), limits);
  const hang = 'setInterval(() => {}, 1000)';

  test('is killed if it hangs, and loses', async () => {
    expect(await run(hang, { timeout: 500 })).toEqual({ problem: 'no answer after 0.5 s' });
  });

  test('loses if its driver crashes, or the system takes its memory', async () => {
    for (const signal of ['SIGSEGV', 'SIGKILL'])
      expect(await run(`process.kill(process.pid, '${signal}')`)).toEqual({
        problem: `its process was ended by ${signal}`,
      });
    const failing = 'console.error("Warning: some limit"); console.error("no device"); process.exit(1)';
    expect(await run(failing)).toEqual({ problem: 'no device' });
  });

  test('ends with the run that is interrupted', async () => {
    const stop = new AbortController();
    const tried = run(hang, { signal: stop.signal });
    stop.abort();
    expect(await tried).toEqual({ problem: expect.stringContaining('aborted') });
  });
});
