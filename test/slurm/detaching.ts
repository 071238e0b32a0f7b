import { statSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { cluster } from './slurm-cluster.ts';
import { chain, fastSettings, SlurmProject } from './slurm-project.ts';

const jobs = 'artifacts/.cache/jobs';

const settings = `${fastSettings}driver: { memory: 500M }\n`;

/** Of an instance in the document of a run. */
const outcomeOf = ({ state, failure }: { state: string; failure: { code: string } | null }): string =>
  failure?.code ?? state;

/** The run as a job of its own, and what ends it. */
export function describeDetaching(): void {
  test.concurrent('with --detach the run goes on in a job; status shows it, attach follows it to its end', async () => {
    const local =
      '  last: { executor: local, cmd: [node, tool.mjs], inputs: [artifacts/after-left], outputs: [artifacts/last] }\n';
    const project = await SlurmProject.on(cluster(), chain('left') + local, settings);
    const left = await project.run('--detach');
    expect([left.exitCode, left.stderr]).toEqual([
      0,
      expect.stringMatching(/^The run continues in job \d+\./),
    ]);
    await project.waitForCount('left');
    // What jobs see of the environment is nobody else's business.
    expect(statSync(project.at(jobs, 'driver.sh')).mode & 0o777).toBe(0o600);
    const status = await project.call(['status']);
    expect(status.stdout).toMatch(/^the run itself: job \d+ runs on/m);
    expect(status.stdout).toMatch(/left .*job \d+ runs on/);
    const second = await project.run();
    expect([second.exitCode, second.stderr]).toEqual([
      75,
      expect.stringMatching(/a run continues in job \d+/),
    ]);

    const attached = project.call(['attach']);
    await project.go();
    const { stderr, exitCode } = await attached;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('3 run')]);
    expect(stderr).toContain('last: artifacts/last');
    expect(project.count('left')).toBe(1);
    expect(project.has(jobs)).toBe(false);
    expect((await project.call(['attach'])).exitCode).toBe(2);
  });

  test.concurrent('a run in a job that was requeued, at the end of its time, takes up its jobs', async () => {
    const project = await SlurmProject.on(cluster(), chain('kept'), settings);
    await project.run('--detach');
    await project.waitForCount('kept');
    const { driver } = JSON.parse(project.read(`${jobs}/run.json`));
    await cluster().ask('scancel', '--batch', '--signal=USR2', driver);
    await cluster().releaseRequeued(driver);
    await project.go();
    const { stderr, exitCode } = await project.call(['attach']);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    expect(['kept', 'after-kept'].map((name) => project.count(name))).toEqual([1, 1]);
  });

  test.concurrent('cancel ends the run and its jobs', async () => {
    const project = await SlurmProject.on(cluster(), chain('ended'), settings);
    await project.run('--detach');
    await project.waitForCount('ended');
    const { stdout } = await project.call(['cancel']);
    expect(stdout).toMatch(/^ended {2}job \d+ cancelled\njob \d+ of the run itself cancelled$/);
    await cluster().expectJobs('ended', [/^CANCELLED/]);
    expect([project.has('artifacts/ended'), project.has(jobs)]).toEqual([false, false]);
  });

  test.concurrent('cancel of one stage ends what depends on it, too, and nothing else', async () => {
    const project = await SlurmProject.on(cluster(), chain('unwanted') + chain('wanted'));
    const running = project.run('--json');
    for (const name of ['unwanted', 'wanted']) await project.waitForCount(name);
    expect((await project.call(['cancel', 'unwanted'])).stdout).toMatch(/^unwanted {2}job \d+ cancelled$/);
    await project.go();
    const { instances } = JSON.parse((await running).stdout);
    expect(instances.map(outcomeOf)).toEqual(['cancelled', 'blocked', 'finished', 'finished']);
    expect(project.has(jobs)).toBe(false);
    expect((await project.run()).stderr).toContain('2 run, 2 up to date');
  });

  test.concurrent('cancel of an instance that waits for a place leaves the others', async () => {
    const stages = `  queued:
    matrix: { n: [1, 2, 3] }
    cmd: [node, tool.mjs, wait]
    outputs: ["artifacts/queued/\${n}"]
`;
    const limited = `${fastSettings}stages: { queued: { arrayLimit: 1 } }\n`;
    const project = await SlurmProject.on(cluster(), stages, limited);
    const running = project.run('--json');
    const hasBegun = (n: number): boolean => project.count(`queued-${n}`) > 0;
    await vi.waitFor(() => expect([1, 2, 3].some(hasBegun)).toBe(true), 60_000);
    const first = [1, 2, 3].findIndex(hasBegun);
    const waiting = (first + 1) % 3;
    const { stdout } = await project.call(['cancel', `queued@${waiting + 1}`]);
    expect(stdout).toContain('no job yet: the run cancels what it submits');
    await project.go();
    const { instances } = JSON.parse((await running).stdout);
    const expected = [0, 1, 2].map((n) => (n === waiting ? 'cancelled' : 'finished'));
    expect(instances.map(outcomeOf)).toEqual(expected);
    expect(project.has(`artifacts/queued/${waiting + 1}`)).toBe(false);
  });

  test.concurrent('a node that may not submit jobs says so, and where to run instead', async () => {
    const project = await SlurmProject.on(cluster(), chain('forbidden'), settings);
    const denied = "echo 'sbatch: error: Batch job submission failed: Access/permission denied' >&2; exit 1";
    await project.shadow('sbatch', `[ -e sent ] && { ${denied}; }\ntouch sent\nexec "$real" "$@"\n`);
    await project.run('--detach');
    const { stderr, exitCode } = await project.call(['attach']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Access/permission denied')]);
    expect(stderr).toContain('run without --detach on a login node, in tmux or with nohup');
  });

  test.concurrent('cancel of a stage that no run drives takes it out of what attach goes on with', async () => {
    const project = await SlurmProject.on(cluster(), chain('dropped') + chain('carried'));
    const running = project.run();
    for (const name of ['dropped', 'carried']) await project.waitForCount(name);
    running.kill('SIGKILL');
    await running;
    await project.call(['cancel', 'dropped']);
    await project.go();
    expect((await project.call(['attach'])).stderr).toContain('2 run');
    expect([project.count('dropped'), project.has('artifacts/dropped')]).toEqual([1, false]);
  });

  test.concurrent('a run that is forced forces everything once, whoever goes on with it', async () => {
    const stages = `  quickly: { cmd: [node, tool.mjs], outputs: [artifacts/quickly] }
  slowly: { cmd: [node, tool.mjs, wait], outputs: [artifacts/slowly] }
`;
    const project = await SlurmProject.on(cluster(), stages);
    await project.go();
    await project.run();
    await project.remove('go');
    const forced = project.run('--force');
    await project.waitForCount('slowly', 2);
    await project.waitForCount('quickly', 2);
    const left = () => JSON.parse(project.read(`${jobs}/run.json`)).forced;
    await vi.waitFor(() => expect(left()).toEqual(['slowly']), 60_000);
    forced.kill('SIGKILL');
    await forced;
    const attached = project.call(['attach', '--json']);
    await project.go();
    const { instances } = JSON.parse((await attached).stdout);
    expect(instances.map(outcomeOf)).toEqual(['cached', 'finished']);
    expect([project.count('quickly'), project.count('slowly')]).toEqual([2, 2]);
  });
}
