import fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { TinyProject } from './tiny-project.ts';

let project: TinyProject;

beforeEach(async () => {
  project = await TinyProject.createTiny();
});

/** Far more epochs than pass before a signal arrives. Tests then ask for as many as did pass, and a few more. */
const endless = 10_000;

async function readEpochsDone(prefix: string): Promise<number> {
  const { checkpoints } = await project.foldersIn(prefix);
  return JSON.parse(await fs.readFile(path.join(checkpoints, 'run.json'), 'utf8')).epochsDone;
}

type Training = ReturnType<TinyProject['trainVal']>;

/** Waits until a training prints a text. */
function hear(training: Training, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    training.stderr.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes(text)) resolve();
    });
    training.stderr.on('end', () => reject(new Error(`ended without "${text}":\n${said}`)));
  });
}

describe('a resumed training of repro train-val', () => {
  test('reports that it is finished, continues when given more epochs, and refuses fewer', async () => {
    await project.trainVal('logs', 2);
    const again = await project.trainVal('logs', 2, '--json');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stderr).toContain('All 2 epochs are already trained.');
    expect(JSON.parse(again.stdout)).toMatchObject({ epochsDone: 2 });
    const fewer = await project.trainVal('logs', 1);
    expect(fewer.stderr).toContain('2 epochs are already trained here.\n  Use -max_epoch 2 or more');
    expect(fewer).toMatchObject({ exitCode: 1 });
    expect((await project.trainVal('logs', 3)).stderr).toContain('Resuming at epoch 3 of 3.');
    await project.trainVal('whole', 3);
    expect(await project.outputsIn('logs')).toEqual(await project.outputsIn('whole'));
  });

  test('ends on SIGTERM with 143, and tells how to resume', async () => {
    const training = project.trainVal('parts', endless);
    await hear(training, '  epoch 2/');
    training.kill('SIGTERM');
    const { exitCode, stderr } = await training;
    expect(stderr).toMatch(/Interrupted in epoch \d+\.\n {2}Run it again to resume\./);
    expect(exitCode).toBe(143);
  });

  test('resumes from the last epoch after being killed, and ends with the same bytes', async () => {
    const training = project.trainVal('parts', endless);
    await hear(training, '  epoch 2/');
    training.kill('SIGKILL');
    expect((await training).signal).toBe('SIGKILL');
    const epochs = (await readEpochsDone('parts')) + 2;
    expect((await project.trainVal('parts', epochs)).stderr).toContain(`Resuming at epoch ${epochs - 1} of`);
    await project.trainVal('whole', epochs);
    expect(await project.outputsIn('parts')).toEqual(await project.outputsIn('whole'));
  });
});

describe('the folders of repro train-val', () => {
  test('keep a second training out, but only of the same folder', async () => {
    const first = project.trainVal('logs', endless);
    await hear(first, '  epoch 1/');
    const second = await project.trainVal('logs', endless);
    expect(second.exitCode).toBe(75);
    expect(second.stderr).toContain(String(first.pid));
    expect(await project.trainVal('elsewhere', 1)).toMatchObject({ exitCode: 0 });
    first.kill('SIGINT');
    expect(await first).toMatchObject({ exitCode: 130 });
  });

  test.each(['checkpoint.pt', 'events.out.tfevents.1717171717.host'])(
    'are left alone if they hold %s of the original',
    async (name) => {
      await project.trainVal('logs', 1);
      const { checkpoints, log } = await project.foldersIn('logs');
      const folder = name.startsWith('events') ? log : checkpoints;
      await fs.rm(checkpoints, { recursive: true });
      await fs.rm(log, { recursive: true });
      await fs.mkdir(folder);
      await fs.writeFile(path.join(folder, name), 'theirs');
      const { exitCode, stderr } = await project.trainVal('logs', 1);
      expect(stderr).toContain(`"${name}" in this folder comes from another program.`);
      expect(exitCode).toBe(2);
      expect(await fs.readdir(folder)).toEqual([name]);
    },
  );
});
