import fs from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { tinyArguments, writeTinyFrames } from '../exchange/original/tiny-frames.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { DATASETS } from '../support/datasets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: tiny}
stages:
  frames:
    cmd: [node, tools/frames.mjs]
    params: [dataset, frames]
    inputs: [made]
    outputs: [artifacts/frames]
`;

const profile = `dataset: {name: dvs128-gesture, simulated: true, root: made}
simulate: {seed: 1}
frames: {steps: 20, splitBy: time, downsample: 16}
`;

/** Replaces the stages that simulate, verify and cut: copies frames made in advance. */
const framesTool = `import fs from 'node:fs';
const { frames } = JSON.parse(process.env.REPRO_PARAMS);
fs.appendFileSync('frames.log', JSON.stringify(frames) + '\\n');
if (fs.existsSync('break')) { console.error('this is why'); process.exit(7); }
fs.cpSync('made', process.env.REPRO_OUTPUT_0, { recursive: true });
`;

/** A project in a temporary folder with tiny frames, for commands that train. */
export class TinyProject extends CliProject {
  static async createTiny(): Promise<TinyProject> {
    const project = new TinyProject(await temporaryFolder());
    await project.write('pipeline.yaml', pipeline);
    for (const name of ['tiny', 'full', 'other']) {
      const text = name === 'other' ? profile.replace('dvs128-gesture', 'nmnist') : profile;
      await project.write(`configs/profiles/${name}.yaml`, text);
    }
    await fs.cp(DATASETS, project.at('configs/datasets'), { recursive: true });
    await project.write('tools/frames.mjs', framesTool);
    await writeTinyFrames(project.at('made'));
    return project;
  }

  /** `repro train-val` on the tiny frames. */
  trainVal(prefix: string, epochs: number, ...more: readonly string[]) {
    const given = [...tinyArguments, '-log_dir_prefix', prefix, '-max_epoch', String(epochs)];
    return this.call(['train-val', ...given, '--profile', 'tiny', ...more]);
  }

  /** The two folders of a training in a prefix. */
  async foldersIn(prefix: string): Promise<{ readonly log: string; readonly checkpoints: string }> {
    const names = (await fs.readdir(path.join(this.root, prefix))).sort();
    expect(names).toHaveLength(2);
    const [checkpoints, log] = names.map((name) => path.join(this.root, prefix, name));
    return { log: log!, checkpoints: checkpoints! };
  }

  /** All output that depends only on the arguments, not on time or place. */
  async outputsIn(prefix: string): Promise<Record<string, unknown>> {
    const { log, checkpoints } = await this.foldersIn(prefix);
    const names = [
      'checkpoint.safetensors',
      'checkpoint_max.safetensors',
      'metrics.csv',
      'run.json',
      'split.json',
    ];
    const files = await Promise.all(names.map((name) => fs.readFile(path.join(checkpoints, name), 'hex')));
    const [events] = (await fs.readdir(log)).filter((name) => name.includes('tfevents'));
    const { scalars } = decodeEventFile(await fs.readFile(path.join(log, events!)), events!);
    return {
      ...Object.fromEntries(names.map((name, i) => [name, files[i]])),
      events: scalars.map(({ tag, step, value }) => [tag, step, value]),
    };
  }
}
