import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { tinyArguments } from '../exchange/original/tiny-frames.ts';
import { plainEnvironment, repro } from '../runner/rig/cli-project.ts';
import { TinyProject } from './tiny-project.ts';

let project: TinyProject;

beforeEach(async () => {
  project = await TinyProject.createTiny();
});

describe('repro train-val', () => {
  test('makes the frames that the arguments describe, trains, and reports the result', async () => {
    const { exitCode, stdout, stderr } = await project.trainVal('logs', 2, '--json');
    expect(stderr).toContain('! The recordings are simulated');
    expect(stderr).toMatch(/^\+ frames {2}done/m);
    expect(stderr).toMatch(/^ {2}train-val {2}epoch 2\/2 · train loss /m);
    expect(stderr).toMatch(
      /^DVS128Gesture, one τ per neuron, σ 0\.1, λ 0\.1 \(dvs128-gesture, simulated\), 2 epochs, seed 2020$/m,
    );
    expect(exitCode).toBe(0);
    const { checkpoints, log } = await project.foldersIn('logs');
    expect(path.basename(log)).toMatch(/^val_0\.15_DVS128Gesture_init_tau_2\.0_tau_std_dev_0\.1_/);
    expect(path.basename(checkpoints)).toBe(`pt_${path.basename(log)}`);
    expect(JSON.parse(stdout)).toEqual(
      JSON.parse(await fs.readFile(path.join(checkpoints, 'run.json'), 'utf8')),
    );
    expect(JSON.parse(stdout)).toMatchObject({ simulated: true, epochsDone: 2 });
    expect(JSON.parse(project.read('frames.log'))).toEqual({
      steps: 3,
      splitBy: 'number',
      downsample: 16,
    });
  });

  test('uses the frames that a run of the pipeline has made', async () => {
    expect(
      await project.call(['run', 'frames', '--set', 'frames.steps=3', '--set', 'frames.splitBy=number']),
    ).toMatchObject({ exitCode: 0 });
    const { exitCode, stderr } = await project.trainVal('logs', 1);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).not.toMatch(/^[>+] frames/m);
  });

  test('ends with 1 and the stage’s own message if making the frames fails', async () => {
    await project.write('break', '');
    const { exitCode, stderr } = await project.trainVal('logs', 1);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('this is why');
    expect(stderr).toContain('run it again: ./repro run frames --profile tiny --set frames.steps=3');
    expect(await fs.readdir(project.at('logs'))).toEqual([]);
  });

  test.each([
    [['--set', 'train.epochs=3'], '--set train.epochs=3  an argument of the original controls this setting'],
    [['--profile', 'other'], 'profile "other" is for nmnist, but -dataset_name is DVS128Gesture.'],
  ])('rejects %j before anything is written', async (more, message) => {
    const { exitCode, stderr } = await project.trainVal('logs', 1, ...more);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    expect([project.has('logs'), project.has('frames.log')]).toEqual([false, false]);
  });

  test('works with the options of any command, in any order', async () => {
    const words = [...tinyArguments, '-log_dir_prefix', project.at('logs'), '-max_epoch=1'];
    const { exitCode, stderr } = await execa(
      process.execPath,
      [repro, '--project', project.root, 'train-val', '--profile=tiny', ...words, '--compat=code'],
      { cwd: os.tmpdir(), reject: false, env: plainEnvironment },
    );
    expect(stderr).toContain('-reg_lambda 0.1 with --compat code: the published script');
    expect(exitCode).toBe(2);
    const help = await project.call(['train-val', '-T', '20', '--help']);
    expect(help.stdout).toContain('Usage: repro train-val');
    expect(help.stdout).toMatch(/^ {2}-alpha_learnable {2,}also learn the slope/m);
  });
});
