import { expect, test, vi } from 'vitest';
import { plainEnvironment, repro } from '../runner/rig/cli-project.ts';
import { noTerminal, Terminal } from '../support/terminal.ts';
import { SlurmProject } from './slurm-project.ts';
import { cluster } from './the-cluster.ts';

const stage = (name: string, what: string, more = ''): string =>
  `  ${name}: { cmd: [node, tool.mjs, ${what}], outputs: [artifacts/${name}]${more} }\n`;

/** What goes wrong on a cluster, each told as what it is. */
export function describeTroubles(): void {
  test.concurrent('failures are told apart: of the stage, of time, of memory, by cancelling; what depends on them never runs', async () => {
    const stages = [
      stage('fails', 'fail'),
      stage('hangs', 'wait', ', resources: { time: 1s }'),
      stage('killed', 'kill-job'),
      stage('cancelled', 'wait'),
      stage('blocked', 'write', ', inputs: [artifacts/fails]'),
      stage('fine', 'write'),
    ].join('');
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run('--json');
    await project.waitForCount('cancelled');
    const job = await cluster().findRunning('cancelled');
    await cluster().ask('scancel', job);
    const { stdout, stderr, exitCode } = await running;
    expect(exitCode).toBe(1);
    const { instances } = JSON.parse(stdout);
    const failures = Object.fromEntries(
      // biome-ignore lint/suspicious/noExplicitAny: the document of the command
      instances.map(({ id, state, failure }: any) => [id, failure === null ? state : failure.code]),
    );
    expect(failures).toEqual({
      fails: 'command-failed',
      hangs: 'timeout',
      killed: 'job-failed',
      cancelled: 'cancelled',
      blocked: 'blocked',
      fine: 'finished',
    });
    expect(stderr).toContain('| it is broken');
    expect(stderr).toMatch(/killed failed: job \d+ on \S+ ended as FAILED \(RaisedSignal:9\(Killed\)\)/);
    expect(stderr).toContain('run it again: ./repro run killed --executor slurm');
    expect(stderr).toMatch(/hangs failed: pipeline\.yaml:4:\d+ {2}it ran longer than its limit of 1 s/);
    await cluster().expectJobs('blocked', [/^CANCELLED/]);
    expect(project.has('artifacts/.cache/jobs')).toBe(false);

    // Only what has not succeeded is submitted again.
    await project.edit('tool.mjs', "what === 'fail'", "what === 'never'");
    await project.run('fails', 'fine');
    expect([project.count('fails'), project.count('fine')]).toEqual([2, 2]);
  });

  test.concurrent('a partition that does not exist is named with its stage; what was submitted before it stays', async () => {
    const lost = ', inputs: [artifacts/early], resources: { partition: gpus }';
    const project = await SlurmProject.on(cluster(), stage('early', 'wait') + stage('lost', 'write', lost));
    const { stderr, exitCode } = await project.run();
    expect(stderr).toMatch(/^pipeline\.yaml:4:3 {2}stage "lost" {2}this cluster has no such partition/m);
    expect(stderr).toContain('sbatch: invalid partition specified: gpus');
    expect(exitCode).toBe(2);
    await project.edit('pipeline.yaml', 'partition: gpus', 'partition: main');
    await project.go();
    expect((await project.run()).exitCode).toBe(0);
    expect([project.count('early'), project.count('lost')]).toEqual([1, 1]);
    expect(project.has('artifacts/.cache/jobs')).toBe(false);
  });

  test.concurrent('with --fail-fast nothing more starts; what runs is finished', async () => {
    const stages =
      stage('broken', 'fail') +
      stage('running', 'wait') +
      stage('later', 'write', ', inputs: [artifacts/running]');
    const project = await SlurmProject.on(cluster(), stages);
    await project.edit(
      'tool.mjs',
      "if (what === 'fail')",
      "while (what === 'fail' && !fs.existsSync('ready')) await new Promise((r) => setTimeout(r, 50));\nif (what === 'fail')",
    );
    const command = project.run('--fail-fast');
    await project.waitForCount('running');
    await project.write('ready', '');
    await cluster().expectJobs('later', [/^CANCELLED/]);
    await project.go();
    const { stderr, exitCode } = await command;
    expect(stderr).toContain('1 run, 1 failed');
    expect(exitCode).toBe(1);
    expect(project.has('artifacts/running')).toBe(true);
    expect(project.has('artifacts/later')).toBe(false);
  });
}

/** Those that no other test can run beside: the controller is away, or a terminal is needed. */
export function describeAlone(): void {
  test.skipIf(noTerminal !== undefined)(
    'at a terminal Ctrl-C leaves the jobs alone, and a second one asks whether to end them',
    async () => {
      const project = await SlurmProject.on(cluster(), stage('slow', 'wait'));
      const terminal = Terminal.start([process.execPath, repro, 'run', '--executor', 'slurm'], {
        ...{ cwd: project.root, columns: 100, rows: 30 },
        env: { ...plainEnvironment, CI: undefined, ...cluster().environment },
      });
      await terminal.waitFor((screen) => screen.some((line) => /^● slow on \S+/.test(line)));
      terminal.type('\u0003');
      await terminal.waitFor((screen) => screen.includes('To end it now, press Ctrl-C again.'));
      expect(terminal.screen).toContain(
        '1 job continues on the cluster. `./repro attach` waits for it, `./repro cancel` ends it.',
      );
      const hasAsked = (): boolean => terminal.screen.some((line) => line.startsWith('Cancel 1 job? [y/N]'));
      await vi.waitFor(
        () => {
          if (hasAsked()) return;
          terminal.type('\u0003');
          throw new Error(terminal.screen.join('\n'));
        },
        // Signals that come closer together are one press.
        { timeout: 5_000, interval: 700 },
      );
      terminal.type('y\r');
      await terminal.waitFor((screen) => screen.includes('1 job cancelled'));
      expect(await terminal.ended).toBe(130);
      expect(project.has('artifacts/.cache/jobs')).toBe(false);
    },
  );

  test('a job that has to make room is submitted again, with what Slurm dropped because of it', async () => {
    const large = ', retries: 1, resources: { cpu: 16 }';
    const stages = stage('large', 'wait', large) + stage('next', 'write', ', inputs: [artifacts/large]');
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run();
    await project.waitForCount('large');
    await cluster().ask(
      'sbatch',
      '--partition=urgent',
      '--cpus-per-task=16',
      '--output=/dev/null',
      '--wrap=true',
    );
    await project.waitForCount('large', 2);
    await project.go();
    const { stderr, exitCode } = await running;
    expect(stderr).toMatch(/job \d+ on \S+ was preempted by another job; submitting it again \(1 of 1\)/);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    await cluster().expectJobs('next', [/^CANCELLED/, /^COMPLETED/]);
  });

  test('of an array of forty, no more than four run at once, and a controller that is away meanwhile is no failure', async () => {
    const stages = `  many:
    matrix: { n: [${Array.from({ length: 40 }, (_, i) => i).join(', ')}] }
    cmd: [sh, -c, 'date +%s%N >> counts/starts; mkdir "$REPRO_OUTPUT_0"; date +%s%N >> counts/ends']
    outputs: ["artifacts/many/\${n}"]
    resources: { arrayLimit: 4 }
`;
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run();
    await project.waitFor('counts/ends');
    await cluster().stopController();
    expect((await project.call(['cancel'])).stderr).toContain("Slurm's controller does not answer");
    await cluster().startController();
    expect((await running).stderr).toContain('40 run');
    const events = ['starts', 'ends'].flatMap((name) =>
      project
        .read(`counts/${name}`)
        .trim()
        .split('\n')
        .map((at) => ({ at: BigInt(at), by: name === 'starts' ? 1 : -1 })),
    );
    let now = 0;
    let most = 0;
    for (const { by } of events.sort((a, b) => Number(a.at - b.at))) {
      now += by;
      most = Math.max(most, now);
    }
    expect(most).toBeLessThanOrEqual(4);
    const text = await cluster().ask('squeue', '--noheader', '--states=all', '--format=%F %j');
    const ids = text
      .split('\n')
      .filter((line) => line.includes(' many.'))
      .map((line) => line.split(' ')[0]);
    expect(new Set(ids).size).toBe(1);
  });
}
