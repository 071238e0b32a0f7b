import { expect, test } from 'vitest';
import { cluster } from './slurm-cluster.ts';
import { fastSettings, SlurmProject, stage } from './slurm-project.ts';

/** What goes wrong on a cluster, each told as what it is. */
export function describeTroubles(): void {
  test.concurrent('failures are told apart: of the stage, of time, by a signal, by cancelling; what depends on them never runs', async () => {
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
    await cluster().ask('scancel', await cluster().findRunning('cancelled'));
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
    expect(await cluster().jobsOf('blocked')).toEqual([]);
    expect(project.has('artifacts/.cache/jobs')).toBe(false);

    // Only what has not succeeded is submitted again.
    await project.edit('tool.mjs', "what === 'fail'", "what === 'never'");
    await project.run('fails', 'fine');
    expect([project.count('fails'), project.count('fine')]).toEqual([2, 2]);
  });

  test.concurrent('a partition that does not exist is named by sbatch; the rest of the run goes on', async () => {
    const settings = `${fastSettings}stages: { lost: { partition: gpus } }\n`;
    const project = await SlurmProject.on(
      cluster(),
      stage('early', 'write') + stage('lost', 'write'),
      settings,
    );
    const { stderr, exitCode } = await project.run();
    expect(stderr).toMatch(/slurm\.yaml \(lost\) {2}Slurm refuses the job/);
    expect(stderr).toContain('sbatch: invalid partition specified: gpus');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('1 run, 1 failed')]);
    await project.edit('configs/executors/slurm.yaml', 'gpus', 'main');
    expect((await project.run()).exitCode).toBe(0);
    expect([project.count('early'), project.count('lost')]).toEqual([1, 1]);
  });

  test.concurrent('with --fail-fast what waits in the queue is cancelled; what runs is finished', async () => {
    const settings = `${fastSettings}stages: { later: { flags: [--hold] } }\n`;
    const stages = stage('broken', 'fail-late') + stage('running', 'wait') + stage('later', 'write');
    const project = await SlurmProject.on(cluster(), stages, settings);
    const command = project.run('--fail-fast');
    await project.waitForCount('running');
    await cluster().expectJobs('later', [/^PENDING/]);
    await project.write('ready', '');
    await cluster().expectJobs('later', [/^CANCELLED/]);
    await project.go();
    const { stderr, exitCode } = await command;
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/1 run, 1 failed/)]);
    expect([project.has('artifacts/running'), project.has('artifacts/later')]).toEqual([true, false]);
  });

  test.concurrent('a stage that the kernel kills, and one over its memory, are said to be short of it', async () => {
    const stages = `  large: { cmd: [node, -e, 'process.kill(process.pid, "SIGKILL")'], outputs: [artifacts/large] }\n`;
    const project = await SlurmProject.on(cluster(), stages);
    expect((await project.run()).stderr).toMatch(
      /killed by SIGKILL.*\n.*raise resources\.memory of the stage, or `memory` in configs/,
    );
  });

  test.concurrent('of forty instances, no more than `arrayLimit` run at once', async () => {
    const stages = `  many:
    matrix: { n: [${Array.from({ length: 40 }, (_, i) => i).join(', ')}] }
    cmd: [sh, -c, 'date +%s%N >> counts/starts; mkdir "$REPRO_OUTPUT_0"; date +%s%N >> counts/ends']
    outputs: ["artifacts/many/\${n}"]
`;
    const settings = `${fastSettings}stages: { many: { arrayLimit: 4 } }\n`;
    const project = await SlurmProject.on(cluster(), stages, settings);
    const { stderr } = await project.run();
    expect(stderr).toContain('40 run');
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
  });
}

/** Those that no other test can run beside: the controller is away, or the node fails. */
export function describeAlone(): void {
  test('a controller that is away is waited for, and is no failure', async () => {
    const project = await SlurmProject.on(cluster(), stage('steady', 'wait'));
    const running = project.run();
    await project.waitForCount('steady');
    await cluster().stopController();
    expect((await project.call(['cancel'])).stderr).toContain("Slurm's controller does not answer");
    const late = await project.call(['run', '--executor', 'slurm', '--project', project.root]);
    expect(late.exitCode).not.toBe(0);
    await cluster().startController();
    await project.go();
    const { stderr } = await running;
    expect(stderr).toContain('1 run');
    expect(project.count('steady')).toBe(1);
  });

  test('a job whose node has failed is submitted again', async () => {
    const project = await SlurmProject.on(cluster(), stage('moved', 'wait'));
    const running = project.run();
    await project.waitForCount('moved');
    await cluster().failNode();
    await project.go();
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
    expect(stderr).toMatch(/job \d+ on \S+ ended since its node failed; submitting it again/);
    expect(project.count('moved')).toBe(2);
    await cluster().expectJobs('moved', [/^NODE_FAIL/, /^COMPLETED/]);
  });
}
