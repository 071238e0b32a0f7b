import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { documentedCommands } from '../original/documented-commands.ts';
import { plainEnvironment as environment, repro } from '../runner/rig/cli-project.ts';

/** These commands run outside of any project. */
function call(words: readonly string[]) {
  return execa(process.execPath, [repro, ...words], { cwd: os.tmpdir(), reject: false, env: environment });
}

describe('repro config from-args', () => {
  test('prints the model file, and nothing else, to stdout', async () => {
    const { stdout, stderr, exitCode } = await call([
      'config',
      'from-args',
      ...documentedCommands['lambda-0.1']!,
    ]);
    expect(stderr).toMatch(/^! -batch_size is 16, /);
    expect(stderr.match(/^! /gm)).toHaveLength(1);
    expect(exitCode).toBe(0);
    const file = path.resolve(import.meta.dirname, '../../configs/models/lambda-0.1.yaml');
    const { network, loss, train } = parse(await fs.readFile(file, 'utf8'));
    expect(parse(stdout)).toMatchObject({ network, loss, train: { ...train, batchSize: 16 } });
  });

  test('prints one JSON document with --json', async () => {
    const words = ['config', 'from-args', '--json', '--compat', 'runs', ...documentedCommands.baseline!];
    const { stdout } = await call(words);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      command: 'config from-args',
      model: { network: { channels: 128, layers: 5 }, compat: { trials: 'first-88' } },
      profile: { frames: { steps: 20, splitBy: 'number' }, seed: 2020 },
      folders: {
        log: expect.stringMatching(/^val_0\.15_/),
        checkpoints: expect.stringMatching(/^pt_val_0\.15_/),
      },
      notes: [],
    });
  });

  test('prints the model for still images, and the profile for them', async () => {
    const still = '-init_tau 2 -dataset_name FashionMNIST -T 4 -max_epoch 1 -channels 3'.split(' ');
    const { stdout, stderr } = await call(['config', 'from-args', ...still]);
    expect(parse(stdout)).toMatchObject({ network: { architecture: 'mnist', steps: 4 } });
    expect(stdout).toContain('repro run --profile fashion-mnist --set');
    expect(stderr).toContain('! -channels: ignored, for event data only');
  });

  test('rejects wrong arguments with 2, and prints no file', async () => {
    const { stdout, stderr, exitCode } = await call(['config', 'from-args', '-use_plif']);
    expect(stderr).toContain('missing: -init_tau, -dataset_name, -T, -max_epoch.');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  test.each([
    [['config'], 'from-args'],
    [['config', 'from-arg'], 'Did you mean from-args?'],
  ])('%j ends with 2 and lists the commands', async (words, told) => {
    const { stderr, exitCode } = await call(words);
    expect(stderr).toContain(told);
    expect(exitCode).toBe(2);
  });
});
