import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fastSettings, SlurmProject } from './slurm-project.ts';
import { cluster } from './the-cluster.ts';

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

const waiting = `  slow: { cmd: [node, tool.mjs, wait], outputs: [artifacts/slow] }
  after: { cmd: [node, tool.mjs], inputs: [artifacts/slow], outputs: [artifacts/after] }
`;

export function describeRuns(): void {
  test.concurrent('makes what a local run makes, and submits nothing that is there', async () => {
    const project = await SlurmProject.on(cluster(), graph);
    const first = await project.run();
    expect(first.stderr).toContain('8 run');
    expect(first.exitCode).toBe(0);
    expect(project.read('artifacts/evaluate/2/text')).toBe('evaluate@2\n');
    await cluster().expectJobs('evaluate', Array(3).fill(/^COMPLETED/));
    expect(project.has('artifacts/.cache/jobs')).toBe(false);
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

  test.concurrent('that is killed goes on: the next one finds its jobs, even the one whose id was not written yet', async () => {
    const project = await SlurmProject.on(cluster(), waiting);
    const running = project.run();
    await project.waitForCount('slow');
    running.kill('SIGKILL');
    await running;
    for (const name of await readdir(project.at('artifacts/.cache/jobs'))) {
      if (name === 'run.json') continue;
      const file = project.at('artifacts/.cache/jobs', name, 'batch.json');
      const batch = JSON.parse(await readFile(file, 'utf8'));
      if (batch.stage === 'slow') await writeFile(file, JSON.stringify({ ...batch, jobId: null }));
    }
    // A local run would write under the job.
    const local = await project.call(['run']);
    expect(local.exitCode).toBe(75);
    expect(local.stderr).toContain('repro attach');

    const again = project.run();
    await project.go();
    expect((await again).exitCode).toBe(0);
    expect([project.count('slow'), project.count('after')]).toEqual([1, 1]);
    expect(project.read('artifacts/after/text')).toBe('after\n');
  });

  test.concurrent('with --detach leaves, and attach goes on with it', async ({ onTestFinished }) => {
    const stages = `${waiting}  last: { executor: local, cmd: [node, tool.mjs], inputs: [artifacts/after], outputs: [artifacts/last] }\n`;
    // Stages work on another disk, as on a node's own: what they read and make is copied.
    const disk = `/dev/shm/${path.basename(cluster().folder)}`;
    onTestFinished(() => rm(disk, { recursive: true, force: true }));
    const settings = `${fastSettings}scratch: ${disk}\ncopyInputs: true\n`;
    const project = await SlurmProject.on(cluster(), stages, settings);
    await project.edit('pipeline.yaml', 'stages:', 'timeline: artifacts/timeline\nstages:');
    const left = await project.run('--detach');
    expect(left.exitCode).toBe(0);
    expect(left.stderr).toContain('2 queued, 1 not started');
    await project.waitForCount('slow');
    const status = await project.call(['status']);
    expect(status.stdout).toMatch(/slow .*job \d+ runs on/);
    expect(status.stdout).toMatch(/after .*job \d+ waits \(Dependency\)/);

    await project.edit('tool.mjs', 'process.exit(3)', 'process.exit(4)');
    const differs = await project.run();
    expect(differs.exitCode).toBe(2);
    expect(differs.stderr).toMatch(/"slow" has changed since job \d+ was submitted: tool\.mjs changed/);
    await project.edit('tool.mjs', 'process.exit(4)', 'process.exit(3)');

    // A run of one stage leaves the jobs of the others alone.
    const only = project.run('slow');
    await project.go();
    expect((await only).exitCode).toBe(0);
    const attached = await project.call(['attach']);
    expect(attached.stderr).toContain('last: artifacts/last');
    expect(project.read('artifacts/timeline/timeline.csv').match(/^(slow|after|last),/gm)).toHaveLength(3);
    expect(project.count('slow')).toBe(1);
    expect(project.read('artifacts/.cache/logs/after.log')).toMatch(
      /reads \/dev\/shm\/\S+\/repro-\w+\/input-0\/slow$/m,
    );
    expect(readdirSync(disk)).toEqual([]);
    expect((await project.call(['attach'])).exitCode).toBe(2);
  });

  test.concurrent('that is forced forces everything once, whoever goes on with it', async () => {
    const stages = `  quickly: { cmd: [node, tool.mjs], outputs: [artifacts/quickly] }
  slowly: { cmd: [node, tool.mjs, wait], outputs: [artifacts/slowly] }
`;
    const project = await SlurmProject.on(cluster(), stages);
    await project.go();
    await project.run();
    await project.remove('go');
    await project.run('--force', '--detach');
    await project.waitForCount('slowly', 2);
    await cluster().expectJobs('quickly', [/^COMPLETED/, /^COMPLETED/]);
    expect((await project.run('quickly')).stderr).toContain('1 up to date');
    const attached = project.call(['attach', '--json']);
    await project.go();
    const { instances } = JSON.parse((await attached).stdout);
    expect(instances.map(({ state }: { state: string }) => state)).toEqual(['cached', 'finished']);
    expect([project.count('quickly'), project.count('slowly')]).toEqual([2, 2]);
    expect(project.has('artifacts/.cache/jobs')).toBe(false);
  });

  test.concurrent('is ended by cancel, with what it was to make left unmade', async () => {
    const project = await SlurmProject.on(cluster(), waiting);
    await project.run('--detach');
    await project.waitForCount('slow');
    const { stdout } = await project.call(['cancel']);
    expect(stdout).toMatch(/slow {2}job \d+ cancelled\nafter {2}job \d+ cancelled/);
    expect(project.has('artifacts/slow')).toBe(false);
    expect(project.has('artifacts/.cache/jobs')).toBe(false);
  });

  test.concurrent('submits what waits for a stage of this machine after that one; of one mutex, one at a time', async () => {
    const stages = `  early: { executor: local, cmd: [node, tool.mjs], outputs: [artifacts/early] }
  alone:
    matrix: { n: [1, 2] }
    cmd: [node, tool.mjs, wait]
    inputs: [artifacts/early]
    outputs: ["artifacts/alone/\${n}"]
    resources: { mutex: disk }
`;
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run();
    await project.waitForCount('alone-1');
    await cluster().expectJobs('mutex', [/^RUNNING/, /^PENDING Dependency/]);
    expect(project.count('alone-2')).toBe(0);
    // By which a job is found again whose name is that of all.
    const scripts = await cluster().ask('squeue', '--noheader', '--states=RUNNING', '--format=%j %o');
    expect(scripts).toMatch(/^mutex\.disk\.[0-9a-f]{8} \/.*\/jobs\/[0-9a-f]{12}\/job\.sh$/m);
    await project.go();
    expect((await running).stderr).toContain('3 run');
    expect(project.count('early')).toBe(1);
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
    await project.waitForCount('gpu-1');
    await project.waitForCount('gpu-2');
    expect((await cluster().jobsOf('gpu'))[2]).toMatch(/^PENDING/);
    await project.go();
    expect((await running).stderr).toContain('3 run');
    const gpus = [1, 2, 3].map((n) => project.read(`artifacts/gpu/${n}/gpus`));
    expect(gpus.slice(0, 2).sort()).toEqual(['0', '1']);
    expect(['0', '1']).toContain(gpus[2]);
  });
}
