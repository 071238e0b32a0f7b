import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { type JobScript, renderJobScript } from '../../src/runner/executors/slurm/job-script.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const plain: JobScript = {
  ...{ request: { cpu: 2 }, name: 'train.ab', comment: 'repro:ab', requeues: false, environment: {} },
  ...{ logFile: '/p/ab.log', about: '', folder: '/tmp', projectRoot: '/', prelude: [], command: ['echo'] },
};

const directivesOf = (more: Partial<JobScript>): string[] =>
  [...renderJobScript({ ...plain, ...more }).matchAll(/^#SBATCH (.*)$/gm)].map(([, text = '']) => text);

describe('the options of a job', () => {
  test('only what is asked for is given, and what decides about results always', () => {
    expect(directivesOf({})).toEqual([
      '--job-name=train.ab',
      '--comment=repro:ab',
      '--nodes=1',
      '--ntasks=1',
      '--cpus-per-task=2',
      '--export=HOME,USER,LOGNAME,SHELL',
      '--no-requeue',
      '--open-mode=append',
      '--output=/p/ab.log',
    ]);
    const more = directivesOf({
      request: {
        ...{ partition: 'gpu', qos: 'long', memoryBytes: 2 ** 32 - 1, gpu: 2, gpuType: 'a100' },
        ...{ timeSeconds: 7201, warnSeconds: 119.5, flags: ['--exclusive'] },
      },
      requeues: true,
    });
    expect(more).toEqual(
      expect.arrayContaining([
        ...['--partition=gpu', '--qos=long', '--mem=4096M', '--gres=gpu:a100:2', '--time=121'],
        ...['--signal=B:USR2@120', '--requeue', '--exclusive'],
      ]),
    );
  });

  test('are quoted as Slurm reads them', () => {
    const odd = `/tmp/it's "100 %" #1 \\x $HOME 💥`;
    const directives = directivesOf({
      comment: 'a #b "c" \\',
      logFile: `${odd}/x.log`,
    });
    expect(directives).toContain('--comment="a #b \\"c\\" \\\\"');
    expect(directives).toContain('--output="/tmp/it\'s \\"100 %%\\" #1 \\\\x $HOME 💥/x.log"');
  });
});

describe('the script of a job', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  /** Runs it as Slurm does: from a file, with hardly any environment. */
  const start = (more: Partial<JobScript>, env: Readonly<Record<string, string>> = {}) => {
    const file = path.join(folder, 'script.sh');
    writeFileSync(file, renderJobScript({ ...plain, ...more }), { mode: 0o700 });
    return execa(file, { env, extendEnv: false, reject: false, detached: true });
  };

  /** A folder with one program, which prints its name. */
  const addProgram = async (name: string, text = name): Promise<string> => {
    const bin = path.join(folder, `bin-${text}`);
    await mkdir(bin);
    await writeFile(path.join(bin, name), `#!/bin/sh\necho "${text}"\n`, { mode: 0o755 });
    return bin;
  };

  test('runs its command with every word as it is, on the folder of its job', async () => {
    const odd = `${folder}/it's "100 %" #1 \\x $HOME 💥`;
    await mkdir(odd);
    const command = ['printf', '%s|', 'a "b" $c'];
    const { stdout } = await start({ folder: odd, prelude: ['echo prelude'], command });
    expect(stdout).toBe(`prelude\na "b" $c|${odd}|`);
  });

  test('ends with the line of its prelude that fails, and not with what a line only asks', async () => {
    const prelude = ['[ -f /etc/none ] && . /etc/none', 'false || true', 'modul load x', 'echo later'];
    const { exitCode, stdout, stderr } = await start({ prelude });
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('repro: a line of the prelude failed with exit code 127: modul load x');
    expect((await start({ prelude: prelude.slice(0, 2), command: ['echo', 'ran'] })).stdout).toBe('ran /tmp');
  });

  test('ends, and says so, where the folder is not the one that was submitted', async () => {
    const { exitCode, stdout, stderr } = await start({ folder: '/no/such/folder' });
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `repro: / is not the same folder on this node as where the job was submitted: ${os.hostname()}`,
    );
  });

  test.each(['SIGUSR2', 'SIGTERM'] as const)(
    'leaves %s to the command, which ends as it likes',
    async (signal) => {
      const saving = `process.on('${signal}', () => { console.log('saving'); process.exit(3); }); console.log('ready'); setInterval(() => {}, 1000)`;
      const running = start({ command: [process.execPath, '-e', saving] });
      running.stdout.once('data', () => running.kill(signal));
      expect(await running).toMatchObject({ exitCode: 3, stdout: 'ready\nsaving' });
    },
  );

  test('reads the profile of its owner if it has a prelude, then sets its environment, then runs these lines', async () => {
    const [mine, ofProfile, ofPrelude] = await Promise.all(
      ['tool', 'site', 'loaded'].map((one) => addProgram(one)),
    );
    const home = path.join(folder, "it's home");
    await mkdir(home);
    await writeFile(
      path.join(home, '.bash_profile'),
      `export PATH="${ofProfile}:/usr/bin:/bin" MOOD=profile OWNER="$USER" LD_LIBRARY_PATH=/profile
module() { echo "module $*"; export PATH="${ofPrelude}:$PATH" LD_LIBRARY_PATH="/loaded:$LD_LIBRARY_PATH"; }
cd /tmp
`,
    );
    const shown = 'echo "$MOOD $OWNER $PWD $LD_LIBRARY_PATH"; for one in tool site loaded; do $one; done';
    const script = {
      environment: { PATH: `${mine}:/usr/bin:/bin`, MOOD: 'ours' },
      prelude: ['module load "$HOME"', 'cd /usr'],
      command: ['sh', '-c', shown],
    };
    const { stdout, stderr } = await start(script, { HOME: home, USER: 'me' });
    expect([stdout, stderr]).toEqual([
      `module load ${home}\nours me / /loaded:/profile\ntool\nsite\nloaded`,
      '',
    ]);
  });

  test('finds first what its prelude adds, then what the submitting shell found', async () => {
    const [first, second, third] = await Promise.all(['1', '2', '3'].map((one) => addProgram('which', one)));
    await writeFile(path.join(folder, '.bash_profile'), `export PATH="${third}:/usr/bin:/bin"\n`);
    const environment = { PATH: `${second}:/usr/bin:/bin` };
    const found = async (prelude: string) =>
      (await start({ environment, prelude: [prelude], command: ['which'] }, { HOME: folder })).stdout;
    expect(await found(`PATH="${first}:$PATH"`)).toBe('1');
    expect(await found('true')).toBe('2');
  });

  test('sets variables to any value', async () => {
    const environment = { A: "it's", B: 'two\nlines', C: '', D: '$HOME `x` "y"' };
    const command = [
      process.execPath,
      '-p',
      'JSON.stringify(["A", "B", "C", "D"].map((one) => process.env[one]))',
    ];
    const { stdout } = await start({ environment, command: [...command, '--'] });
    expect(JSON.parse(stdout)).toEqual(Object.values(environment));
  });
});
