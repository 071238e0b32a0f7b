import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { documentedCommands } from '../original/documented-commands.ts';
import { tinyArguments, writeTinyFrames } from '../original/tiny-frames.ts';

const repro = path.resolve(import.meta.dirname, '../../bin/repro.js');

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

/** Stands for the stages that simulate, verify and cut: the frames are there, if they are those that were asked for. */
const framesTool = `import fs from 'node:fs';
const { frames } = JSON.parse(process.env.REPRO_PARAMS);
fs.appendFileSync('frames.log', JSON.stringify(frames) + '\\n');
if (fs.existsSync('break')) { console.error('this is why'); process.exit(7); }
fs.cpSync('made', process.env.REPRO_OUTPUT_0, { recursive: true });
`;

let folder: string;

beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-train-val-'));
  await fs.mkdir(path.join(folder, 'configs/profiles'), { recursive: true });
  await fs.mkdir(path.join(folder, 'tools'));
  await fs.writeFile(path.join(folder, 'pipeline.yaml'), pipeline);
  for (const name of ['tiny', 'full', 'other']) {
    const text = name === 'other' ? profile.replace('dvs128-gesture', 'nmnist') : profile;
    await fs.writeFile(path.join(folder, `configs/profiles/${name}.yaml`), text);
  }
  await fs.writeFile(path.join(folder, 'tools/frames.mjs'), framesTool);
  await writeTinyFrames(path.join(folder, 'made'));
});

afterEach(() => fs.rm(folder, { recursive: true, force: true }));

const environment = { NO_COLOR: '1', CI: 'true', FORCE_COLOR: undefined };

function call(words: readonly string[]) {
  return execa(process.execPath, [repro, ...words], { cwd: folder, reject: false, env: environment });
}

/** `repro train-val` on the tiny frames. */
function trainVal(prefix: string, epochs: number, ...more: readonly string[]) {
  const given = [...tinyArguments, '-log_dir_prefix', prefix, '-max_epoch', String(epochs)];
  return call(['train-val', ...given, '--profile', 'tiny', ...more]);
}

/** Sends a signal as soon as a training has said that epoch 2 has ended. */
async function signalAfterTwoEpochs(
  training: ReturnType<typeof trainVal>,
  signal: NodeJS.Signals,
): Promise<void> {
  let said = '';
  for await (const [chunk] of listen(training)) {
    said += chunk;
    if (!said.includes('  epoch 2/')) continue;
    training.kill(signal);
    return;
  }
}

async function* listen(training: ReturnType<typeof trainVal>): AsyncGenerator<[string]> {
  const { stderr } = training;
  if (stderr === null) throw new Error('no stderr');
  while (!stderr.readableEnded) {
    const [chunk]: unknown[] = await once(stderr, 'data');
    yield [String(chunk)];
  }
}

async function foldersIn(prefix: string): Promise<{ readonly log: string; readonly checkpoints: string }> {
  const names = (await fs.readdir(path.join(folder, prefix))).sort();
  expect(names).toHaveLength(2);
  const [checkpoints, log] = names.map((name) => path.join(folder, prefix, name));
  return { log: log!, checkpoints: checkpoints! };
}

/** Everything that two trainings of the same arguments have in common, whenever and wherever they were. */
async function outputsIn(prefix: string): Promise<Record<string, unknown>> {
  const { log, checkpoints } = await foldersIn(prefix);
  const names = ['checkpoint.safetensors', 'checkpoint_max.safetensors', 'metrics.csv', 'run.json'];
  const files = await Promise.all(names.map((name) => fs.readFile(path.join(checkpoints, name), 'hex')));
  const [events] = (await fs.readdir(log)).filter((name) => name.includes('tfevents'));
  const { scalars } = decodeEventFile(await fs.readFile(path.join(log, events!)), events!);
  return {
    ...Object.fromEntries(names.map((name, i) => [name, files[i]])),
    events: scalars.map(({ tag, step, value }) => [tag, step, value]),
  };
}

describe('repro train-val', () => {
  test('makes the frames that the arguments ask for, trains, and says what came of it', async () => {
    const { exitCode, stdout, stderr } = await trainVal('logs', 2, '--json');
    expect(stderr).toContain('! The recordings are simulated');
    expect(stderr).toMatch(/^\+ frames {2}done/m);
    expect(stderr).toMatch(/^ {2}train-val {2}epoch 2\/2 · train loss /m);
    expect(stderr).toMatch(
      /^DVS128Gesture, one τ a neuron, σ 0\.1, λ 0\.1 \(dvs128-gesture, simulated\), 2 epochs, seed 2020$/m,
    );
    expect(exitCode).toBe(0);
    const { checkpoints, log } = await foldersIn('logs');
    expect(path.basename(log)).toMatch(/^val_0\.15_DVS128Gesture_init_tau_2\.0_tau_std_dev_0\.1_/);
    expect(path.basename(checkpoints)).toBe(`pt_${path.basename(log)}`);
    expect(JSON.parse(stdout)).toEqual(
      JSON.parse(await fs.readFile(path.join(checkpoints, 'run.json'), 'utf8')),
    );
    expect(JSON.parse(stdout)).toMatchObject({ simulated: true, epochsDone: 2 });
    expect(JSON.parse(await fs.readFile(path.join(checkpoints, 'arguments.json'), 'utf8'))).toMatchObject({
      version: 1,
      arguments: { init_tau: 2, T: 3, reg_lambda: 0.1, normalization: null, max_epoch: 2 },
      compat: { trials: 'all' },
      data: { dataset: { name: 'dvs128-gesture', simulated: true }, frames: { steps: 3, splitBy: 'number' } },
      engine: { name: 'tfjs', backend: 'cpu' },
    });
    expect(JSON.parse(await fs.readFile(path.join(folder, 'frames.log'), 'utf8'))).toEqual({
      steps: 3,
      splitBy: 'number',
      downsample: 16,
    });
  });

  test('takes the frames that a run of the pipeline has made', async () => {
    expect(
      await call(['run', 'frames', '--set', 'frames.steps=3', '--set', 'frames.splitBy=number']),
    ).toMatchObject({ exitCode: 0 });
    expect((await trainVal('logs', 1)).stderr).toContain('= frames  up to date');
  });

  test('says that it has finished, and goes on when asked for more epochs', async () => {
    await trainVal('logs', 2);
    const again = await trainVal('logs', 2);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stderr).toContain('Finished already: 2 epochs are trained. A larger -max_epoch goes on.');
    expect((await trainVal('logs', 1)).stderr).toContain('and -max_epoch 1 asks for fewer');
    const longer = await trainVal('logs', 3);
    expect(longer.stderr).toContain('Going on with epoch 3 of 3.');
    await trainVal('whole', 3);
    expect(await outputsIn('logs')).toEqual(await outputsIn('whole'));
  });

  /** Far more epochs than pass before a signal arrives; how many did pass decides how many are then asked for. */
  const endless = 10_000;

  async function readEpochsDone(prefix: string): Promise<number> {
    const { checkpoints } = await foldersIn(prefix);
    return JSON.parse(await fs.readFile(path.join(checkpoints, 'run.json'), 'utf8')).epochsDone;
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'ends on %s with %i, says how to go on, and then ends with the same bytes',
    async (signal, code) => {
      const training = trainVal('parts', endless);
      await signalAfterTwoEpochs(training, signal);
      const { exitCode, stderr } = await training;
      expect(stderr).toMatch(/Interrupted in epoch \d+\.\n {2}Run it again: it goes on from here\./);
      expect(exitCode).toBe(code);
      const epochs = (await readEpochsDone('parts')) + 2;
      expect((await trainVal('parts', epochs)).stderr).toContain(
        `Going on with epoch ${epochs - 1} of ${epochs}`,
      );
      await trainVal('whole', epochs);
      expect(await outputsIn('parts')).toEqual(await outputsIn('whole'));
    },
  );

  test('goes on from the last epoch after it was killed, to the same bytes', async () => {
    const training = trainVal('parts', endless);
    await signalAfterTwoEpochs(training, 'SIGKILL');
    expect((await training).signal).toBe('SIGKILL');
    const epochs = (await readEpochsDone('parts')) + 2;
    expect(await trainVal('parts', epochs)).toMatchObject({ exitCode: 0 });
    await trainVal('whole', epochs);
    expect(await outputsIn('parts')).toEqual(await outputsIn('whole'));
  });

  test('keeps a second training out of its folder, and out of no other', async () => {
    const first = trainVal('logs', endless);
    for await (const [chunk] of listen(first)) if (chunk.includes('epoch 1/')) break;
    const second = await trainVal('logs', endless);
    expect(second.exitCode).toBe(75);
    expect(second.stderr).toContain(String(first.pid));
    expect(await trainVal('elsewhere', 1)).toMatchObject({ exitCode: 0 });
    first.kill('SIGINT');
    expect(await first).toMatchObject({ exitCode: 130 });
  });

  test('mixes no two trainings whose folders have the same name', async () => {
    await trainVal('logs', 1);
    const before = await outputsIn('logs');
    for (const [more, difference] of [
      [['-seed', '7'], '-seed: 2020 there, 7 now'],
      [['--compat', 'runs'], 'compat.trials: "all" there, "first-88" now'],
      [['--set', 'frames.limit.train=5'], 'frames.limit.train: nothing there, 5 now'],
      [['--set', 'simulate.seed=2'], 'simulate.seed: 1 there, 2 now'],
    ] as const) {
      const { exitCode, stderr } = await trainVal('logs', 2, ...more);
      expect(stderr).toContain('This folder is that of another training, whose name is the same:');
      expect(stderr).toContain(`  ${difference}\n`);
      expect(stderr).toContain('Give another -log_dir_prefix');
      expect(exitCode).toBe(2);
    }
    await writeTinyFrames(path.join(folder, 'made'), 2);
    const { exitCode, stderr } = await trainVal('logs', 2);
    expect(stderr).toContain('  the frames: made of other recordings, or in another way\n');
    expect(exitCode).toBe(2);
    expect(await outputsIn('logs')).toEqual(before);
  });

  test('stays away from what the original left in such folders', async () => {
    await trainVal('logs', 1);
    const { log, checkpoints } = await foldersIn('logs');
    await fs.rm(path.join(folder, 'logs'), { recursive: true });
    await fs.mkdir(checkpoints, { recursive: true });
    await fs.writeFile(path.join(checkpoints, 'checkpoint.pt'), '');
    const first = await trainVal('logs', 1);
    expect(first).toMatchObject({ exitCode: 2 });
    expect(first.stderr).toContain('This folder holds "checkpoint.pt"');
    await fs.rm(path.join(checkpoints, 'checkpoint.pt'));
    await fs.mkdir(log);
    await fs.writeFile(path.join(log, 'events.out.tfevents.1717171717.host'), '');
    const second = await trainVal('logs', 1);
    expect(second).toMatchObject({ exitCode: 2 });
    expect(second.stderr).toContain('This folder holds "events.out.tfevents.1717171717.host"');
    expect(await fs.readdir(log)).toHaveLength(1);
  });

  test('ends with 1 and the stage’s own words when there are no frames to be had', async () => {
    await fs.writeFile(path.join(folder, 'break'), '');
    const { exitCode, stderr } = await trainVal('logs', 1);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('this is why');
    expect(stderr).toContain('run it again: npx repro run frames --profile tiny --set frames.steps=3');
  });

  test.each([
    [['--set', 'train.epochs=3'], "--set train.epochs=3  the original's arguments say this: -max_epoch."],
    [['--set', 'frames.steps=3'], "--set frames.steps=3  the original's arguments say this: -T."],
    [['--set', 'report.title=x'], '--set report.title=x  this command does not use that setting.'],
    [['--profile', 'other'], 'profile "other" is of nmnist, and -dataset_name is DVS128Gesture.'],
    [['--compat', 'paper'], 'Allowed choices are intent, runs, code.'],
    [['-nummber_layer', '3'], 'there is no argument "-nummber_layer". Closest: "-number_layer".'],
    [['--proflie', 'tiny'], 'there is no option "--proflie". Closest: "--profile".'],
    [['-seed', '1', '-seed', '2'], '-seed is given twice.'],
    [['--set', 'frames.downsample=64'], 'with frames.downsample 64 its 2 x 2 pixels have room for 1.'],
  ])('refuses %j before anything is written', async (more, message) => {
    const { exitCode, stderr } = await trainVal('logs', 1, ...more);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    await expect(fs.access(path.join(folder, 'logs'))).rejects.toThrow('ENOENT');
    await expect(fs.access(path.join(folder, 'frames.log'))).rejects.toThrow('ENOENT');
  });

  test('says of data that have no reader that they have none', async () => {
    const still =
      '-init_tau 2 -device cpu -dataset_name CIFAR10 -log_dir_prefix logs -T 4 -max_epoch 1'.split(' ');
    const { exitCode, stderr } = await call(['train-val', ...still]);
    expect(stderr).toContain('-dataset_name CIFAR10: its files cannot be read yet.');
    expect(exitCode).toBe(2);
  });

  test('says that it trains on the CPU where CUDA was asked for and is not there', async () => {
    const asked = tinyArguments.map((word) => (word === 'cpu' ? 'cuda:0' : word));
    const words = [...asked, '-log_dir_prefix', 'logs', '-max_epoch', '1', '--profile', 'tiny'];
    const { exitCode, stderr } = await execa(process.execPath, [repro, 'train-val', ...words], {
      cwd: folder,
      reject: false,
      env: { ...environment, CUDA_VISIBLE_DEVICES: '' },
    });
    expect(stderr).toMatch(/-device cuda:0 is not to be had here \(.*\): training goes on on the CPU/);
    expect(exitCode).toBe(0);
  });

  test('takes its place among the options of any command', async () => {
    const words = [...tinyArguments, '-log_dir_prefix', path.join(folder, 'logs'), '-max_epoch=1'];
    const { exitCode, stderr } = await execa(
      process.execPath,
      [repro, '--project', folder, 'train-val', '--profile=tiny', ...words, '--compat=code'],
      { cwd: os.tmpdir(), reject: false, env: environment },
    );
    expect(stderr).toContain('compat.tau_per_neuron');
    expect(exitCode).toBe(2);
    const help = await call(['train-val', '-T', '20', '--help']);
    expect(help.stdout).toContain('Usage: repro train-val');
    expect(help.stdout).toMatch(/^ {2}-alpha_learnable {2,}learn the slope/m);
  });
});

describe('repro config from-args', () => {
  test('prints the model’s file, and nothing else, on stdout', async () => {
    const { stdout, stderr, exitCode } = await call([
      'config',
      'from-args',
      ...documentedCommands['lambda-0.1']!,
    ]);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const file = path.resolve(import.meta.dirname, '../../configs/models/lambda-0.1.yaml');
    const { network, loss, train } = parse(await fs.readFile(file, 'utf8'));
    expect(parse(stdout)).toMatchObject({ network, loss, train });
  });

  test('prints one JSON document with --json', async () => {
    const words = ['config', 'from-args', '--json', '--compat', 'runs', ...documentedCommands.baseline!];
    const { stdout } = await call(words);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      command: 'config from-args',
      model: { network: { channels: 128, layers: 5 }, compat: { batch_size: 'logged' } },
      profile: { frames: { steps: 20, splitBy: 'number' }, seed: 2020 },
      folders: {
        log: expect.stringMatching(/^val_0\.15_/),
        checkpoints: expect.stringMatching(/^pt_val_0\.15_/),
      },
      notes: [],
    });
  });

  test('says of data that have no reader what their model is', async () => {
    const still = '-init_tau 2 -dataset_name FashionMNIST -T 4 -max_epoch 1 -channels 3'.split(' ');
    const { stdout, stderr } = await call(['config', 'from-args', ...still]);
    expect(parse(stdout)).toMatchObject({ network: { architecture: 'mnist', steps: 4 } });
    expect(stdout).toContain('no profile can have this data set yet');
    expect(stderr).toContain('! -channels: of event data only');
  });

  test('refuses wrong arguments with 2, and prints no file', async () => {
    const { stdout, stderr, exitCode } = await call(['config', 'from-args', '-use_plif']);
    expect(stderr).toContain('missing: -init_tau, -dataset_name, -T, -max_epoch.');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  test.each([
    [['config'], 'from-args'],
    [['config', 'from-arg'], 'Did you mean from-args?'],
  ])('%j tells what there is, with 2', async (words, told) => {
    const { stderr, exitCode } = await call(words);
    expect(stderr).toContain(told);
    expect(exitCode).toBe(2);
  });
});
