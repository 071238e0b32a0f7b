import { mkdir, readdir, rename } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cluster } from './slurm-cluster.ts';
import { chain, SlurmProject, stage } from './slurm-project.ts';

const graph = `  first: { cmd: [node, tool.mjs], outputs: [artifacts/first] }
  train:
    matrix: { n: [1, 2, 3] }
    cmd: [node, tool.mjs]
    inputs: [artifacts/first]
    outputs: ["artifacts/train/\${n}"]
  evaluate:
    matrix: { n: [1, 2, 3] }
    cmd: [node, tool.mjs]
    inputs: [artifacts/first, "artifacts/train/\${n}"]
    outputs: ["artifacts/evaluate/\${n}"]
  report: { executor: local, cmd: [node, tool.mjs], inputs: [artifacts/evaluate], outputs: [artifacts/report] }
`;

const jobs = 'artifacts/.cache/jobs';

export function describeRuns(): void {
  test.concurrent('makes what a local run makes, and submits nothing that is there', async () => {
    const project = await SlurmProject.on(cluster(), graph);
    const first = await project.run();
    expect([first.exitCode, first.stderr]).toEqual([0, expect.stringContaining('8 run')]);
    expect(project.read('artifacts/evaluate/2/text')).toBe('evaluate@2\n');
    await cluster().expectJobs('evaluate', Array(3).fill(/^COMPLETED/));
    expect(project.has(jobs)).toBe(false);
    // For a local run, too, all of it is up to date.
    expect((await project.call(['status', '--exit-code'])).exitCode).toBe(0);

    await project.remove('artifacts/train/2');
    const second = await project.run();
    expect(second.stderr).toContain('1 restored, 7 up to date');
    expect(project.read('artifacts/train/2/text')).toBe('train@2\n');
    expect(await cluster().jobsOf('train')).toHaveLength(3);
  });

  test.concurrent('in a folder with any name', async () => {
    const project = await SlurmProject.on(
      cluster(),
      '  a: { cmd: [node, tool.mjs], outputs: ["artifacts/% ä \'\\"$x"] }\n',
    );
    const odd = `${project.root}/it's 100 %j "$HOME" #1 💥`;
    const names = await readdir(project.root);
    await mkdir(odd);
    for (const name of names) await rename(`${project.root}/${name}`, `${odd}/${name}`);
    const result = await project.call(['run', '--executor', 'slurm', '--project', odd]);
    expect(result.stderr).toContain('1 run');
  });

  test.concurrent('that is killed goes on: the next one takes up what runs, and takes in what has ended', async () => {
    const stages = chain('slow') + stage('quick');
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run();
    await project.waitForCount('slow');
    running.kill('SIGKILL');
    await running;
    await cluster().expectJobs('quick', [/^COMPLETED/]);
    // A local run would write under the job.
    const local = await project.call(['run']);
    expect([local.exitCode, local.stderr]).toEqual([75, expect.stringContaining('repro attach')]);
    const status = await project.call(['status']);
    expect(status.stdout).toMatch(/slow .*job \d+ runs on/);

    // Not the script: the job's result would no longer be accepted, even with the script as it was.
    const [slow, other] = [stage('slow', 'wait'), stage('slow', 'wait, more')];
    await project.edit('pipeline.yaml', slow, other);
    const differs = await project.run();
    expect(differs.exitCode).toBe(1);
    expect(differs.stderr).toMatch(/have changed since job \d+ was submitted/);
    await project.edit('pipeline.yaml', other, slow);

    const again = project.call(['attach']);
    await project.go();
    expect((await again).exitCode).toBe(0);
    expect(['slow', 'after-slow'].map((name) => project.count(name))).toEqual([1, 1]);
    expect(project.read('artifacts/after-slow/text')).toBe('after-slow\n');
    expect(project.has(jobs)).toBe(false);
  });

  test.concurrent('a job whose id a killed run never got is found by its name', async () => {
    const project = await SlurmProject.on(cluster(), chain('unnamed'));
    await project.shadow('sbatch', '"$real" "$@" > sent; exec sleep 600\n');
    const running = project.run();
    await cluster().expectJobs('unnamed', [/^RUNNING/]);
    running.kill('SIGKILL');
    await running;
    await rename(project.at('bin'), project.at('no-bin'));
    const again = project.run();
    await project.go();
    expect((await again).exitCode).toBe(0);
    expect(project.count('unnamed')).toBe(1);
  });

  test.concurrent('a job that turns up after another one was submitted in its place ends at once', async () => {
    const project = await SlurmProject.on(cluster(), chain('unanswered'));
    await project.shadow(
      'sbatch',
      `if mkdir lost 2>/dev/null; then
  (until [ -e late ]; do sleep 0.05; done; exec "$real" "$@") >late.log 2>&1 &
  echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2
  exit 1
fi
exec "$real" "$@"
`,
    );
    const running = project.run();
    await project.waitForCount('unanswered');
    await project.write('late', '');
    await cluster().expectJobs('unanswered', [/^RUNNING/, /^COMPLETED/]);
    await project.go();
    expect((await running).stderr).toContain('2 run');
    expect(project.count('unanswered')).toBe(1);
  });

  test.concurrent('gives each job a GPU of its own, and no more jobs run than there are GPUs', async () => {
    const stages = `  gpu:
    matrix: { n: [1, 2, 3] }
    cmd: [node, tool.mjs, wait]
    outputs: ["artifacts/gpu/\${n}"]
    resources: { gpu: 1 }
`;
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run();
    await cluster().expectJobs('gpu', [/^RUNNING/, /^RUNNING/, /^PENDING/], 60_000);
    await project.go();
    expect((await running).stderr).toContain('3 run');
    const gpus = [1, 2, 3].map((n) => project.read(`artifacts/gpu/${n}/gpus`));
    expect([...new Set(gpus)].sort()).toEqual(['0', '1']);
  });
}
