import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { SlurmProject } from './slurm-project.ts';
import { cluster } from './the-cluster.ts';

const jobs = 'artifacts/.cache/jobs';

/** What `repro cancel` leaves behind. */
export function describeCancelling(): void {
  test.concurrent('cancel of one stage ends what waits for it, too, and nothing else', async () => {
    const stages = `  unwanted: { cmd: [node, tool.mjs, wait], outputs: [artifacts/unwanted] }
  dropped: { cmd: [node, tool.mjs], inputs: [artifacts/unwanted], outputs: [artifacts/dropped] }
  last: { cmd: [node, tool.mjs], inputs: [artifacts/dropped], outputs: [artifacts/last] }
  wanted: { cmd: [node, tool.mjs, wait], outputs: [artifacts/wanted] }
`;
    const project = await SlurmProject.on(cluster(), stages);
    await project.run('--detach');
    await project.waitForCount('unwanted');
    await project.waitForCount('wanted');
    // Others of the group may look; what jobs see of the environment is nobody else's business.
    const [token = ''] = (await readdir(project.at(jobs))).filter((name) => name !== 'run.json');
    const modeOf = (name: string): number => statSync(project.at(jobs, token, name)).mode & 0o777;
    const open = process.umask();
    expect([modeOf('environment.sh'), modeOf('batch.json'), modeOf('.')]).toEqual([
      0o600,
      0o666 & ~open,
      0o777 & ~open,
    ]);

    const { stdout } = await project.call(['cancel', 'unwanted']);
    expect(stdout).toMatch(
      /^unwanted {2}job \d+ cancelled\ndropped {2}job \d+ dropped: .*\nlast {2}job \d+ dropped: /,
    );
    expect((await project.call(['run', 'unwanted'])).stderr).toMatch(/jobs on a cluster .* for "wanted"\n/);
    const again = project.run();
    await project.waitForCount('unwanted', 2);
    await project.go();
    expect((await again).stderr).toContain('4 run');
    expect(project.has(jobs)).toBe(false);
  });

  test.concurrent('cancel beside a run that waits leaves the folder to that one', async () => {
    const stages = `  ended: { cmd: [node, tool.mjs, wait], outputs: [artifacts/ended] }
  kept: { cmd: [node, tool.mjs], inputs: [artifacts/ended], outputs: [artifacts/kept] }
`;
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run('--json');
    await project.waitForCount('ended');
    expect((await project.call(['cancel', 'ended'])).stdout).toMatch(/^ended {2}job \d+ cancelled$/);
    const { instances } = JSON.parse((await running).stdout);
    // biome-ignore lint/suspicious/noExplicitAny: the document of the command
    expect(instances.map(({ state, failure }: any) => failure?.code ?? state)).toEqual([
      'cancelled',
      'blocked',
    ]);
    expect(project.has(jobs)).toBe(false);
  });

  test.concurrent('cancel beside a run that still submits ends what is on its way, and nothing more is submitted', async () => {
    const names = ['sent-1', 'sent-2', 'sent-3', 'sent-4'];
    const project = await SlurmProject.on(
      cluster(),
      names
        .map((name) => `  ${name}: { cmd: [node, tool.mjs, wait], outputs: [artifacts/${name}] }\n`)
        .join(''),
    );
    // The second submission takes until the run was told.
    await project.shadow(
      'sbatch',
      `echo x >> sent
if [ "$(wc -l < sent)" = 2 ]; then until [ -e ${jobs}/cancelled ]; do sleep 0.05; done; fi
exec "$real" "$@"
`,
    );
    const running = project.run();
    await project.waitFor('sent');
    await project.waitForCount(names[0] ?? '');
    const { stdout } = await project.call(['cancel']);
    expect(stdout).toMatch(
      /^sent-1 {2}job \d+ cancelled\nsent-2 {2}job \d+ cancelled\nthe run .* submits nothing more$/,
    );
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([130, expect.stringContaining('cancelled by `./repro cancel`')]);
    // A job that had begun is COMPLETING for a while first.
    const cancelled = expect.stringMatching(/^CANCELLED/);
    await vi.waitFor(
      async () => {
        const states = [await cluster().jobsOf('sent-1'), await cluster().jobsOf('sent-2')];
        expect(states).toEqual([[cancelled], [cancelled]]);
      },
      { timeout: 20_000, interval: 200 },
    );
    expect([...(await cluster().jobsOf('sent-3')), ...(await cluster().jobsOf('sent-4'))]).toEqual([]);
    await project.go();
    expect((await project.run()).stderr).toContain('4 run');
  });

  test.concurrent('what could not be cancelled keeps its folder, and the run says so', async () => {
    const stages = '  stubborn: { cmd: [node, tool.mjs, fail], outputs: [artifacts/stubborn] }\n';
    const project = await SlurmProject.on(cluster(), stages);
    await project.shadow(
      'scancel',
      "echo 'scancel: error: Kill job error on job id 1: Access/permission denied' >&2; exit 1\n",
    );
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/could not be cancelled: .*permission denied/),
    ]);
    expect(project.has(jobs)).toBe(true);
  });
}
