import fs from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cluster } from './slurm-cluster.ts';
import { SlurmProject } from './slurm-project.ts';

const repository = path.resolve(import.meta.dirname, '../..');

/** Little of everything: what is tested is the way through the graph. */
const small = [
  'train.epochs=1',
  'models=[baseline, no-reg]',
  'simulate.trainUsers=8',
  'simulate.testUsers=1',
  'simulate.lights=[led]',
  'train.network={channels: 4, layers: 3, hidden: 16}',
].flatMap((one) => ['--set', one]);

/** The pipeline of this repository. */
export function describeQuickProfile(): void {
  test.concurrent('the quick profile from the recordings to the report, each stage but the last in a job', async () => {
    const project = await SlurmProject.empty(cluster());
    const parts = [
      'pipeline.yaml',
      'package.json',
      'package-lock.json',
      'configs',
      'dist/explore.js',
      'schemas',
      'stages',
      'src',
      'native',
    ];
    for (const name of parts) {
      await fs.cp(path.join(repository, name), project.at(name), {
        recursive: true,
        filter: (file) => path.basename(file) !== 'node_modules',
      });
    }
    await fs.symlink(await fs.realpath(path.join(repository, 'node_modules')), project.at('node_modules'));
    await project.write(
      'configs/executors/slurm.yaml',
      'poll: 0.6s\npatience: 10s\nstages: { report: { executor: local } }\ndefaults: { cpu: 1 }\n',
    );
    const { stderr, exitCode } = await project.run(...small);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('8 run')]);
    expect(project.has('artifacts/report/index.html')).toBe(true);
    const record = JSON.parse(project.read('artifacts/.cache/records/train@baseline,2020.json'));
    expect(record.metrics).toMatchObject({ bestEpoch: 1, testAccuracy: expect.any(Number) });

    // Metrics, facts and fingerprints are those of a run on this machine.
    const status = await project.call(['status', '--exit-code', ...small]);
    expect(status.stdout.match(/up to date/g)).toHaveLength(8);
    expect(status.exitCode).toBe(0);
  });
}
