import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  escapePattern,
  formatArray,
  formatMebibytes,
  formatTimeLimit,
  type JobOptions,
  listSbatchOptions,
} from '../../src/executors/slurm/job-options.ts';
import { type JobScript, renderEnvironment, renderJobScript } from '../../src/executors/slurm/job-script.ts';

const options: JobOptions = {
  name: 'train.ab',
  comment: 'repro:ab',
  cpus: 2,
  memoryBytes: null,
  gpus: 0,
  gpuType: null,
  timeSeconds: null,
  warnSeconds: null,
  array: null,
  dependencies: [],
  logPattern: '/p/slurm-0.log',
  flags: [],
};

describe('options of sbatch', () => {
  test.each([
    [1, '00:01:00'],
    [60, '00:01:00'],
    [61, '00:02:00'],
    [48 * 3600 + 600, '2-00:10:00'],
    [86_399, '1-00:00:00'],
  ])('a limit of %i s is %s', (seconds, text) => {
    expect(formatTimeLimit(seconds)).toBe(text);
  });

  test('memory is rounded up to mebibytes', () => {
    expect([2 ** 30, 2 ** 20 + 1, 1].map(formatMebibytes)).toEqual(['1024M', '2M', '1M']);
  });

  test.each([
    [[0, 1, 2, 3], 2, '0-3%2'],
    [[3, 5, 6, 7, 9], null, '3,5-7,9'],
    [[4], 1, '4%1'],
  ])('an array of %j is written in ranges', (indices, atOnce, text) => {
    expect(formatArray({ indices, atOnce })).toBe(text);
  });

  test('only what is asked for is given, and what decides about results always', () => {
    expect(listSbatchOptions(options)).toEqual([
      '--job-name=train.ab',
      '--comment=repro:ab',
      '--nodes=1',
      '--ntasks=1',
      '--cpus-per-task=2',
      '--export=NIL',
      '--requeue',
      '--open-mode=append',
      '--output=/p/slurm-0.log',
    ]);
    const more = listSbatchOptions({
      ...options,
      ...{ partition: 'gpu', qos: 'long', memoryBytes: 2 ** 32, gpus: 2, gpuType: 'a100' },
      ...{ timeSeconds: 7200, warnSeconds: 119.5, flags: ['--exclusive'] },
      array: { indices: [0, 1], atOnce: null },
      dependencies: ['afterok:1', 'aftercorr:2'],
    });
    expect(more).toEqual(
      expect.arrayContaining([
        ...['--partition=gpu', '--qos=long', '--mem=4096M', '--gres=gpu:a100:2', '--time=02:00:00'],
        ...['--signal=B:USR2@120', '--array=0-1', '--dependency=afterok:1,aftercorr:2'],
        ...['--kill-on-invalid-dep=yes', '--exclusive'],
      ]),
    );
  });
});

/** A folder first on the PATH. */
const inPath = (folder: string) => ({ PATH: `${folder}:/usr/bin:/bin` });

describe('the script of a job', () => {
  const odd = `/tmp/it's "100 %" #1 \\x $HOME 💥`;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'repro-script-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(path.join(folder, 'tasks/7'), { recursive: true });
  });

  const write = async (more: Partial<JobScript> = {}): Promise<string> => {
    const text = renderJobScript({
      ...{ options, about: ['0: train@a'], projectRoot: '/', prelude: [], command: ['echo'], index: 7 },
      ...{
        proofFile: '/etc/hostname',
        environmentFile: '/dev/null',
        tasksFolder: path.join(folder, 'tasks'),
        claimFile: path.join(folder, 'claim'),
      },
      ...more,
    });
    const file = path.join(folder, 'script.sh');
    await writeFile(file, text);
    return file;
  };

  /** Runs a script as Slurm does: from a file, with hardly any environment. */
  const run = (file: string, env: Readonly<Record<string, string>> = {}) =>
    execa('/bin/bash', [file], { env, extendEnv: false, reject: false, detached: true });

  const start = async (more: Partial<JobScript>, env: Readonly<Record<string, string>> = {}) =>
    run(await write(more), env);

  /** A folder with one program, which says how it was called. */
  const addProgram = async (name: string, lines = ''): Promise<string> => {
    const bin = path.join(folder, `bin-${name}`);
    await mkdir(bin, { recursive: true });
    await writeFile(path.join(bin, name), `#!/bin/sh\necho "${name} $*"\n${lines}\n`, { mode: 0o755 });
    return bin;
  };

  const setVariables = async (values: Readonly<Record<string, string>>): Promise<string> => {
    const file = path.join(folder, 'environment.sh');
    await writeFile(file, renderEnvironment(values));
    return file;
  };

  const task = (name: string): string => path.join(folder, 'tasks/7', name);

  /** What the runner makes as soon as it takes signals. */
  const listening = (): string => task('listening');

  test('quotes directives as Slurm reads them', () => {
    const script = renderJobScript({
      options: { ...options, comment: 'a #b "c" \\', logPattern: `${escapePattern(odd)}/slurm-%a.log` },
      ...{ about: [], proofFile: '/', environmentFile: '/dev/null', tasksFolder: '/', projectRoot: '/' },
      ...{ prelude: [], command: ['echo'], claimFile: '/claim' },
    });
    expect(script).toContain('#SBATCH --comment="a #b \\"c\\" \\\\"\n');
    expect(script).toContain('#SBATCH --output="/tmp/it\'s \\"100 %%\\" #1 \\\\x $HOME 💥/slurm-%a.log"\n');
  });

  test('is one that a shell runs, with every word as it is', async () => {
    const { stdout } = await start({ prelude: ['echo prelude'], command: ['echo', odd, 'stage-job'] });
    expect(stdout).toBe(`prelude\n${odd} stage-job 7`);
  });

  test('ends with the line of its prelude that fails, and not with what a line only asks', async () => {
    const prelude = ['[ -f /etc/none ] && . /etc/none', 'false || true', 'modul load x', 'echo later'];
    const { exitCode, stdout, stderr } = await start({ prelude, command: ['echo'] });
    expect([exitCode, stdout]).toEqual([80, '']);
    expect(stderr).toContain('repro: a line of the prelude failed with exit code 127: modul load x');
    const fine = await start({ prelude: prelude.slice(0, 2), command: ['echo', 'ran'] });
    expect(fine.stdout).toBe('ran 7');
    // A container's own code says nothing about the prelude.
    expect((await start({ command: ['sh', '-c', 'exit 80'] })).exitCode).toBe(1);
  });

  test('ends with its own code, and says so, where the folder is not the one that was submitted', async () => {
    const { exitCode, stdout, stderr } = await start({ proofFile: '/etc/no-such-file' });
    expect([exitCode, stdout]).toEqual([79, '']);
    expect(stderr).toBe(
      `repro: / is not the same folder on this node as where the job was submitted: ${os.hostname()}`,
    );
  });

  test('takes the index of a task from Slurm', async () => {
    const array = { ...options, array: { indices: [0, 1], atOnce: null } };
    expect((await start({ options: array }, { SLURM_ARRAY_TASK_ID: '3' })).stdout).toBe('3');
  });

  test('ends as its command does', async () => {
    expect((await start({ command: ['sh', '-c', 'exit 5'] })).exitCode).toBe(5);
    for (const signal of ['SIGKILL', 'SIGABRT', 'SIGTERM']) {
      const ended = await start({ command: ['sh', '-c', `kill -s ${signal.slice(3)} $$`] });
      expect(ended.signal).toBe(signal);
    }
    // 128 and the number of SIGSTOP, or no number of a signal.
    for (const code of [147, 255]) {
      expect(await start({ command: ['sh', '-c', `exit ${code}`] })).toMatchObject({
        exitCode: code,
        stderr: '',
      });
    }
  });

  test.each(['SIGUSR2', 'SIGTERM'] as const)(
    'passes %s on, and waits for the command to save its work',
    async (signal) => {
      const saving = `trap 'echo saving; sleep 0.1; exit 3' ${signal.slice(3)}; touch ${listening()}; echo ready; while :; do sleep 0.05; done`;
      const running = run(await write({ command: ['bash', '-c', saving] }));
      running.stdout.once('data', () => running.kill(signal));
      expect(await running).toMatchObject({ exitCode: 3, stdout: 'ready\nsaving' });
    },
  );

  test('keeps a warning for the command until that takes it, also one that comes while the prelude runs', async () => {
    const saving = `echo starting; while [ ! -e ${folder}/go ]; do sleep 0.02; done; trap 'echo saving; exit 3' USR2; touch ${listening()}; while :; do sleep 0.05; done`;
    const home = path.join(folder, 'home');
    await mkdir(home);
    await writeFile(path.join(home, '.profile'), 'kill -s USR2 $$; echo profile\n');
    const environmentFile = await setVariables({ HOME: home, PATH: '/usr/bin:/bin' });
    for (const prelude of [[], ['set -e; true']]) {
      await rm(listening(), { force: true });
      const running = run(await write({ environmentFile, prelude, command: ['bash', '-c', saving] }));
      running.stdout.on('data', (text) => {
        if (!String(text).includes('starting')) return;
        if (prelude.length === 0) running.kill('SIGUSR2');
        void writeFile(path.join(folder, 'go'), '');
      });
      const { exitCode, stdout } = await running;
      expect([exitCode, stdout]).toEqual([
        3,
        prelude.length === 0 ? 'starting\nsaving' : 'profile\nstarting\nsaving',
      ]);
      await rm(path.join(folder, 'go'));
    }
  });

  test('waits for the command whatever traps the prelude sets, and ends as it does', async () => {
    const command = ['bash', '-c', 'kill -s USR1 $PPID; sleep 0.1; echo done; exit 4'];
    const ended = await start({ prelude: ['set -e', "trap 'echo trapped' USR1", "trap '' USR2"], command });
    expect([ended.exitCode, ended.stdout.split('\n').sort()]).toEqual([4, ['done', 'trapped']]);
  });

  test('removes what an earlier attempt of the same job has left, before anything else can fail', async () => {
    const files = ['end.json', 'requeue.txt', 'listening'];
    const lacking = { command: ['/no/such/container'] };
    const left = async (claimed: string) => {
      for (const name of files) await writeFile(task(name), '');
      await rm(path.join(folder, 'claim'), { force: true });
      await symlink(claimed, path.join(folder, 'claim'));
      expect((await start(lacking, { ...inPath('/'), SLURM_JOB_ID: '12' })).exitCode).toBe(127);
      return files.filter((name) => existsSync(task(name)));
    };
    expect([await left('12'), await left('13')]).toEqual([[], files]);
    await writeFile(task('end.json'), '');
    const array = { ...options, array: { indices: [7], atOnce: null } };
    const environment = { ...inPath('/'), SLURM_ARRAY_JOB_ID: '13', SLURM_ARRAY_TASK_ID: '7' };
    await start({ ...lacking, options: array }, environment);
    expect(existsSync(task('end.json'))).toBe(false);
  });

  test('ends with another code than its own where a container ends with that', async () => {
    expect((await start({ command: ['sh', '-c', 'exit 79'] })).exitCode).toBe(1);
  });

  describe('whose command asks to go on in the queue', () => {
    const asking = ['/bin/sh', '-c', 'exit 88'];
    const said = () => readFile(task('requeue.txt'), 'utf8');

    beforeEach(() => writeFile(task('end.json'), '{"kind":"interrupted","because":"time"}'));

    test("is not put back without the word of the runner: the code alone may be anybody's", async () => {
      await rm(task('end.json'));
      const bin = await addProgram('scontrol');
      expect((await start({ command: asking }, inPath(bin))).exitCode).toBe(88);
      await expect(said()).rejects.toThrow('ENOENT');
    });

    test('is not disturbed by a warning that comes now', async () => {
      const bin = await addProgram('scontrol', "trap '' USR2; kill -s USR2 0; exit 1");
      expect(await start({ command: asking }, inPath(bin))).toMatchObject({ exitCode: 88 });
    });

    test('asks again while the controller does not answer', async () => {
      const lines = `mkdir ${folder}/asked 2>/dev/null && { echo 'Unable to contact slurm controller (connect failure)' >&2; exit 1; }\nkill 0`;
      const bin = await addProgram('scontrol', lines);
      const { signal } = await start({ command: asking }, { ...inPath(bin), SLURM_JOB_ID: '12' });
      expect(signal).toBe('SIGTERM');
      expect(await said()).toContain('Unable to contact');
    });

    test('puts the job back, and waits for its end', async () => {
      // Slurm ends the whole job.
      const bin = await addProgram('scontrol', 'kill 0');
      const { signal, stdout } = await start({ command: asking }, { ...inPath(bin), SLURM_JOB_ID: '12' });
      expect([signal, stdout]).toEqual(['SIGTERM', '']);
      await expect(said()).rejects.toThrow('ENOENT');
    });

    test('keeps what Slurm says if it refuses; of an array, only the task is meant', async () => {
      const bin = await addProgram('scontrol', 'echo no >&2; exit 1');
      const environment = { ...inPath(bin), SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '7' };
      const array = { ...options, array: { indices: [7], atOnce: null } };
      expect((await start({ options: array, command: asking }, environment)).exitCode).toBe(88);
      expect(await said()).toBe('scontrol requeue 12_7\nno\n');
    });

    test('does so even if the site has no such program on the nodes', async () => {
      expect((await start({ command: asking }, { PATH: '/nowhere', SLURM_JOB_ID: '12' })).exitCode).toBe(88);
      expect(await said()).toContain('scontrol: command not found');
    });

    test('leaves it alone once it was told to end, since it may have been cancelled', async () => {
      const bin = await addProgram('scontrol');
      const command = ['bash', '-c', "trap 'exit 88' TERM; echo ready; while :; do sleep 0.05; done"];
      const running = run(await write({ command }), inPath(bin));
      running.stdout.once('data', () => running.kill('SIGTERM'));
      expect((await running).exitCode).toBe(88);
      await expect(said()).rejects.toThrow('ENOENT');
    });
  });

  describe('with a prelude', () => {
    test('reads the profile of its owner, and then runs these lines, in the environment of the submission', async () => {
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
      const environmentFile = await setVariables({
        PATH: `${mine}:/usr/bin:/bin`,
        HOME: home,
        USER: 'me',
        MOOD: 'ours',
      });
      const shown = 'echo "$MOOD $OWNER $PWD $LD_LIBRARY_PATH"; for one in tool site loaded; do $one; done';
      const { stdout, stderr } = await start({
        environmentFile,
        prelude: ['module load "$HOME"', 'cd /usr'],
        command: ['bash', '-c', shown],
      });
      expect([stdout, stderr]).toEqual([
        `module load ${home}\nours me / /loaded:/profile\ntool \nsite \nloaded `,
        '',
      ]);
    });

    test('finds first what these lines add, then what the submitting shell found', async () => {
      const [first, second, third] = await Promise.all(
        ['1', '2', '3'].map(async (one) => {
          const bin = path.join(folder, one);
          await mkdir(bin);
          await writeFile(path.join(bin, 'which'), `#!/bin/sh\necho ${one}\n`, { mode: 0o755 });
          return bin;
        }),
      );
      const home = path.join(folder, 'home');
      await mkdir(home);
      await writeFile(path.join(home, '.bash_profile'), `export PATH="${third}:/usr/bin:/bin"\n`);
      const environmentFile = await setVariables({ PATH: `${second}:/usr/bin:/bin`, HOME: home });
      const found = async (prelude: string) =>
        (await start({ environmentFile, prelude: [prelude], command: ['which'] })).stdout;
      expect(await found(`PATH="${first}:$PATH"`)).toBe('1');
      expect(await found('true')).toBe('2');
    });
  });

  test('sets variables to any value', () => {
    const values = { A: "it's", B: 'two\nlines', C: '', D: '$HOME `x` "y"' };
    const shell = `${renderEnvironment(values)}printf '%s|' "$A" "$B" "$C" "$D"`;
    expect(execFileSync('bash', ['-c', shell], { encoding: 'utf8' })).toBe(
      `${Object.values(values).join('|')}|`,
    );
  });
});
