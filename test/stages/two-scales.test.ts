import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import evaluate from '../../stages/evaluate.ts';
import frames from '../../stages/frames.ts';
import simulate from '../../stages/simulate.ts';
import train from '../../stages/train.ts';
import verify from '../../stages/verify.ts';
import { makeContext } from '../support/stage-context.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const configs = path.join(import.meta.dirname, '../../configs');

test('profile control with few clips goes from simulation to evaluation', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const root = await temporaryFolder();
  const [data, verified, cache, run, result] = ['data', 'verify', 'frames', 'run', 'result'].map((name) =>
    path.join(root, name),
  ) as [string, string, string, string, string];
  const profile = parse(await readFile(path.join(configs, 'profiles/control.yaml'), 'utf8'));
  const few = { seed: 1, trainClips: 32, testClips: 8 };
  await simulate.run(makeContext({ simulate: few }, {}, [data]));
  const dataset = path.join(configs, 'datasets/two-scales.yaml');
  const checked = makeContext({ dataset: profile.dataset }, { dataset, recordings: data }, [verified]);
  await verify.run(checked);
  expect(checked.said.notes).toEqual(['simulated, Two time scales: 32 training and 8 test clips.']);
  const counted = makeContext(
    { dataset: profile.dataset, frames: profile.frames },
    { dataset, manifest: verified, recordings: data },
    [cache],
  );
  await frames.run(counted);
  expect(counted.said.warnings).toEqual([]);
  const settings = { train: { ...profile.train, epochs: 2, batchSize: 8 } };
  const model = path.join(configs, 'models/broad-fixed.yaml');
  const matrix = { model: 'broad-fixed', seed: 2020 };
  await train.run({ ...makeContext(settings, { frames: cache, model }, [run]), matrix });
  const { network, simulated, best } = JSON.parse(await readFile(path.join(run, 'run.json'), 'utf8'));
  expect(simulated).toBe(true);
  expect(network).toMatchObject({ layers: 0, hidden: 16, tau: { per: 'neuron' } });
  await evaluate.run({
    ...makeContext({ evaluate: profile.evaluate }, { frames: cache, trained: run }, [result]),
    matrix,
  });
  const evaluation = JSON.parse(await readFile(path.join(result, 'evaluation.json'), 'utf8'));
  expect(evaluation).toMatchObject({ simulated: true, dataset: 'two-scales' });
  expect(best.epoch).toBeLessThan(2);
});
