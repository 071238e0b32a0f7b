import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { CliProject } from '../runner/rig/cli-project.ts';
import { torchFixturePath } from '../support/torch-file.ts';
import { toTable } from '../verdicts/studies.ts';
import { blocks, repository } from './pages.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: quick}
stages:
  frames:
    run: stages/frames.ts
    params: [frames]
    outputs: [artifacts/frames]
  train:
    matrix: {model: "\${models}", seed: "\${seeds}"}
    run: stages/train.ts
    params: [train]
    inputs: [artifacts/frames]
    outputs: ["artifacts/train/\${model}/\${seed}"]
    resources: {cpu: 1, time: "\${limit}"}
  report:
    run: stages/report.ts
    inputs: [artifacts/train]
    outputs: [artifacts/report]
`;

const profile = `frames:
  steps: 8
models: [baseline]
seeds: [2020]
limit: 48h
train:
  epochs: 12
`;

const schedule = `/** What a schedule depends on. */
export interface Schedule {
  readonly learningRate: number;
  readonly halfPeriod: number;
}

export function learningRateAt(epoch: number, { learningRate, halfPeriod }: Schedule): number {
  return (learningRate * (1 + Math.cos((Math.PI * epoch) / halfPeriod))) / 2;
}
`;

const writer = `import { writeFile } from 'node:fs/promises';
export default {
  async run({ outputs, params, inputs }) { await writeFile(outputs[0], JSON.stringify(params)); },
};
`;

const trainer = `import { setTimeout } from 'node:timers/promises';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { learningRateAt } from '../src/training/schedule.ts';
export default {
  async run({ outputs, params, signal }) {
    if (params.train.epochs > 1000) await setTimeout(60_000, undefined, { signal });
    const rate = learningRateAt(params.train.epochs, { learningRate: 0.001, halfPeriod: 64 });
    await mkdir(outputs[0]);
    await writeFile(path.join(outputs[0], 'rate.txt'), String(rate));
  },
};
`;

/** A project with stages of the usual names that compute next to nothing. */
function createSmall(): Promise<CliProject> {
  return CliProject.create({
    'pipeline.yaml': pipeline,
    'configs/profiles/quick.yaml': profile,
    'src/training/schedule.ts': schedule,
    'stages/frames.ts': writer,
    'stages/train.ts': trainer,
    'stages/report.ts': writer,
  });
}

async function createChanged(): Promise<CliProject> {
  const project = await createSmall();
  await project.call(['run']);
  await project.edit('src/training/schedule.ts', '(learningRate * (1', 'learningRate * 0.5 * (1');
  await project.edit('src/training/schedule.ts', 'halfPeriod))) / 2', 'halfPeriod))');
  await project.edit('configs/profiles/quick.yaml', 'epochs: 12', 'epochs: 8');
  return project;
}

/** The project itself, but its results. */
export async function copyThis(): Promise<CliProject> {
  const project = await CliProject.create({});
  for (const name of ['pipeline.yaml', 'configs', 'dist/explore.js', 'schemas', 'stages']) {
    await cp(path.join(repository, name), path.join(project.root, name), { recursive: true });
  }
  for (const name of ['src', 'test', 'node_modules', 'package.json', 'package-lock.json']) {
    await symlink(path.join(repository, name), path.join(project.root, name));
  }
  return project;
}

/** With checkpoints of the original, one of which is not what it seems. */
async function createCheckpoints(): Promise<CliProject> {
  const project = await CliProject.create({});
  await mkdir(path.join(project.root, 'logs/pt'), { recursive: true });
  await cp(torchFixturePath('baseline.pt'), path.join(project.root, 'logs/pt/check_point_max.pt'));
  await cp(torchFixturePath('hostile.pt'), path.join(project.root, 'hostile.pt'));
  return project;
}

/** This project's own answers, with the claims that the page shows. */
async function createJudged(): Promise<CliProject> {
  const claims = blocks.find(
    ({ at, text }) => at.startsWith('docs/judge.md') && text.startsWith('version: 1'),
  );
  const answers = await readFile(path.join(repository, 'results/arms/answers.csv'), 'utf8');
  return CliProject.create({ 'judge.yaml': claims?.text ?? '', 'results.csv': toTable(answers) });
}

/** What each example of the pages needs: a project in which its command prints what the page shows. */
export const projects: Readonly<Record<string, () => Promise<CliProject>>> = {
  'missing-input': async () => {
    const project = await createSmall();
    await project.edit('pipeline.yaml', 'inputs: [artifacts/frames]', 'inputs: [artifacts/frame]');
    return project;
  },
  'undeclared-read': async () => {
    const project = await createSmall();
    await project.write('configs/sensor.json', '{}');
    const read = "await writeFile(outputs[0], await readFile('configs/sensor.json'));";
    await project.write(
      'stages/frames.ts',
      `${writer.replace(/await .*;/, read).replace('writeFile }', 'readFile, writeFile }')}`,
    );
    return project;
  },
  'changed-training': async () => {
    const project = await createChanged();
    await project.edit('configs/profiles/quick.yaml', 'steps: 8', 'steps: 16');
    return project;
  },
  judge: createJudged,
  'set-aside': async () => {
    const project = await createSmall();
    await project.call(['run']);
    await project.write('artifacts/train/baseline/2020/notes.txt', 'mine');
    return project;
  },
  'too-slow': async () => {
    const project = await createSmall();
    await project.edit('configs/profiles/quick.yaml', 'epochs: 12', 'epochs: 1256');
    await project.edit('configs/profiles/quick.yaml', '48h', '1s');
    await project.call(['run']);
    return project;
  },
  'failing-command': async () => {
    const project = await createSmall();
    await project.edit('pipeline.yaml', 'run: stages/train.ts', 'cmd: [python3, train.py]');
    await project.write('train.py', 'import sys\nsys.exit("ValueError: no such split")\n');
    await project.edit('configs/profiles/quick.yaml', 'seeds', 'report: {title: none}\nseeds');
    return project;
  },
  checkpoints: createCheckpoints,
  hostile: createCheckpoints,
  parity: copyThis,
};
