import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CliProject } from '../../runner/rig/cli-project.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** The stages of the reproduction, but for the report, whose verdicts come from a file. */
const pipeline = `version: 1
profiles: {folder: configs/profiles, default: tiny}
stages:
  simulate:
    run: stages/simulate.ts
    params: [simulate]
    outputs: ["\${dataset.root}"]
  verify:
    run: stages/verify.ts
    params: [dataset.simulated]
    inputs:
      dataset: "configs/datasets/\${dataset.name}.yaml"
      recordings: {path: "\${dataset.root}", external: true}
    outputs: [artifacts/verify]
  frames:
    run: stages/frames.ts
    params: [frames]
    inputs:
      dataset: "configs/datasets/\${dataset.name}.yaml"
      manifest: artifacts/verify
      recordings: {path: "\${dataset.root}", external: true}
    outputs: [artifacts/frames]
  train:
    matrix: {model: "\${models}", seed: "\${seeds}"}
    run: stages/train.ts
    params: [train]
    inputs: {frames: artifacts/frames, model: "configs/models/\${model}.yaml"}
    outputs: ["artifacts/train/\${model}/\${seed}"]
    facts: [engine]
    resources: {cpu: "\${threads}"}
  evaluate:
    matrix: {model: "\${models}", seed: "\${seeds}"}
    run: stages/evaluate.ts
    params: [evaluate]
    inputs: {frames: artifacts/frames, trained: "artifacts/train/\${model}/\${seed}"}
    outputs: ["artifacts/evaluate/\${model}/\${seed}"]
    facts: [engine]
  report:
    cmd: [node, tools/report.mjs]
    inputs: [artifacts/evaluate, verdicts.json]
    outputs: [artifacts/report]
`;

/** Simulated gestures of four people and a network of two layers: a second of training. */
const profile = (
  engine: string,
) => `dataset: {name: dvs128-gesture, simulated: true, root: artifacts/simulate}
simulate: {seed: 1, trainUsers: 3, testUsers: 1, lights: [led], gestureSeconds: 0.5}
frames: {steps: 4, splitBy: number, downsample: 8, invalidEvents: keep}
models: [lambda-0.1]
seeds: [2020]
threads: 1
train:
  engine: ${engine}
  epochs: 2
  batchSize: 4
  learningRate: 0.02
  cosineHalfPeriod: 32
  validationShare: 0.3
  network: {channels: 8, layers: 2, hidden: 32}
evaluate: {engine: ${engine}, batchSize: 32}
`;

const reportTool = `import fs from 'node:fs';
fs.mkdirSync(process.env.REPRO_OUTPUT_0, { recursive: true });
fs.copyFileSync('verdicts.json', process.env.REPRO_OUTPUT_0 + '/claims.json');
`;

/** claims.json with one claim. */
export function verdicts(verdict: string): string {
  const claim = { id: 'spread', source: 'Figure 1', statement: 'It stays narrow', published: null };
  const claims = [{ ...claim, measured: '0.07', verdict, reason: 'In one seed.' }];
  return JSON.stringify({ version: 1, simulated: true, claims });
}

/** A folder with a copy of this project's stages and sources, in which they can be broken. The caller removes it. */
export async function createTinyReproduction(engine = 'wasm'): Promise<CliProject> {
  const project = new CliProject(await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'repro-tiny-'))));
  const files = {
    'pipeline.yaml': pipeline,
    'configs/profiles/tiny.yaml': profile(engine),
    'tools/report.mjs': reportTool,
    'verdicts.json': verdicts('not-applicable'),
  };
  for (const [file, content] of Object.entries(files)) await project.write(file, content);
  for (const name of [
    'src',
    'stages',
    'configs/datasets',
    'configs/models',
    'package.json',
    'package-lock.json',
  ]) {
    await fs.cp(path.join(root, name), project.at(name), { recursive: true });
  }
  // Stages may read no more than where it leads.
  await fs.symlink(await fs.realpath(path.join(root, 'node_modules')), project.at('node_modules'), 'dir');
  return project;
}
