import { readdir, readlink, rename } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { fastSettings, SlurmProject } from './slurm-project.ts';
import { cluster } from './the-cluster.ts';

const jobs = 'artifacts/.cache/jobs';

const waiting = (name: string): string =>
  `  ${name}: { cmd: [node, tool.mjs, wait], outputs: [artifacts/${name}] }\n`;

/** What becomes of a job whose submission was not answered. */
export function describeSubmissions(): void {
  test.concurrent('an answer that is lost, with a job that turns up after another one was submitted, runs nothing twice', async () => {
    const project = await SlurmProject.on(cluster(), waiting('unanswered'));
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
    expect((await running).stderr).toContain('1 run');
    expect(project.count('unanswered')).toBe(1);
  });

  test.concurrent('a job that waits, and that a killed runner never got the id of, is found by its name', async () => {
    const settings = `${fastSettings}defaults: { flags: [--hold] }\n`;
    const project = await SlurmProject.on(cluster(), waiting('unnamed'), settings);
    await project.shadow('sbatch', '"$real" "$@" > sent; exec sleep 600\n');
    const running = project.run();
    await cluster().expectJobs('unnamed', [/^PENDING JobHeldUser/]);
    running.kill('SIGKILL');
    await running;
    await rename(project.at('bin'), project.at('no-bin'));
    const again = project.run();
    const [token = ''] = (await readdir(project.at(jobs))).filter((name) => name !== 'run.json');
    // Nobody else can have made it: the job waits.
    await vi.waitFor(() => readlink(project.at(jobs, token, 'claim')), { timeout: 20_000, interval: 50 });
    await cluster().ask('scontrol', 'release', project.read('sent').trim());
    await project.go();
    expect((await again).exitCode).toBe(0);
    expect([project.count('unnamed'), await cluster().jobsOf('unnamed')]).toEqual([
      1,
      [expect.stringMatching(/^COMPL/)],
    ]);
  });

  test.concurrent('of two jobs that a killed runner left behind, the one that started counts for the next', async () => {
    const project = await SlurmProject.on(cluster(), waiting('doubled'));
    await project.shadow('sbatch', '"$real" "$@"; "$real" "$@"; exec sleep 600\n');
    const running = project.run();
    await project.waitForCount('doubled');
    running.kill('SIGKILL');
    await running;
    await rename(project.at('bin'), project.at('no-bin'));
    const again = project.run('--json');
    await cluster().expectJobs('doubled', [
      /^(RUNNING|COMPLETED|CANCELLED)/,
      /^(RUNNING|COMPLETED|CANCELLED)/,
    ]);
    await project.go();
    expect((await again).exitCode).toBe(0);
    expect(project.count('doubled')).toBe(1);
    expect(project.read('artifacts/doubled/text')).toBe('doubled\n');
  });

  test.concurrent('a job that Slurm has ended meanwhile is submitted again, also with other code', async () => {
    const stages =
      '  crashed: { cmd: [node, tool.mjs, kill-job], outputs: [artifacts/crashed] }\n' +
      '  behind: { cmd: [node, tool.mjs], inputs: [artifacts/crashed], outputs: [artifacts/behind] }\n';
    const project = await SlurmProject.on(cluster(), stages);
    await project.run('--detach');
    await cluster().expectJobs('crashed', [/^FAILED/]);
    await cluster().expectJobs('behind', [/^CANCELLED/]);
    await project.edit('tool.mjs', "=== 'kill-job'", "=== 'never'");
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    expect(stderr).toMatch(/job \d+ on \S+ ended as FAILED .*; submitting it again/);
    expect(stderr).toMatch(/job \d+ never ran, because a job that it depends on failed; submitting it again/);
  });

  test.concurrent.each([
    ['well', 'is not waited for', 'write', ['finished', 'finished'], 1],
    ['badly', 'is followed by nothing', 'fail', ['command-failed', 'blocked'], 0],
  ])(
    'a job that ended %s, and that Slurm has forgotten since, %s',
    async (name, _, what, expected, count) => {
      const stages =
        `  ${name}: { cmd: [node, tool.mjs, ${what}], outputs: [artifacts/${name}] }\n` +
        `  after-${name}: { cmd: [node, tool.mjs], inputs: [artifacts/${name}], outputs: [artifacts/after] }\n`;
      const project = await SlurmProject.on(cluster(), stages);
      await project.shadow(
        'sbatch',
        `if grep -q '^#SBATCH --dependency' "$2"; then
  until [ -e artifacts/.cache/jobs/*/tasks/0/end.json ]; do sleep 0.05; done
  echo 'sbatch: error: Batch job submission failed: Job dependency problem' >&2
  exit 1
fi
exec "$real" "$@"
`,
      );
      const { stdout, stderr } = await project.run('--json');
      const { instances } = JSON.parse(stdout);
      // biome-ignore lint/suspicious/noExplicitAny: the document of the command
      expect(instances.map(({ state, failure }: any) => failure?.code ?? state)).toEqual(expected);
      expect([project.count(`after-${name}`), await cluster().jobsOf(`after-${name}`)]).toEqual([
        count,
        Array(count).fill(expect.stringMatching(/^COMPL/)),
      ]);
      expect(stderr.includes('not submitted: a dependency ended without reporting success')).toBe(
        count === 0,
      );
    },
  );

  test.concurrent('the limit of a stage holds where it is several arrays', async () => {
    const stages = `  limited:
    matrix: { n: [1, 2, 3, 4] }
    cmd: [sh, -c, 'echo x >> counts/now; wc -l < counts/now >> counts/most; mkdir "$REPRO_OUTPUT_0"; sed -i 1d counts/now']
    outputs: ["artifacts/limited/\${n}"]
    resources: { arrayLimit: 1 }
`;
    const project = await SlurmProject.on(cluster(), stages, `${fastSettings}arraySize: 2\n`);
    const { stderr } = await project.run();
    expect(stderr).toContain('4 run');
    expect(project.read('counts/most')).toBe('1\n'.repeat(4));
    const ids = await cluster().ask('squeue', '--noheader', '--states=all', '--format=%F %j');
    expect(new Set(ids.match(/^\d+ limited\..*$/gm)).size).toBe(2);
  });
}
