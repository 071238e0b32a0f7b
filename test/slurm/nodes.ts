import { readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fastSettings, SlurmProject } from './slurm-project.ts';
import { cluster } from './the-cluster.ts';

const stage = (name: string, what: string, more = ''): string =>
  `  ${name}: { cmd: [node, tool.mjs, ${what}], outputs: [artifacts/${name}]${more} }\n`;

/** What nodes have, and what they lack. */
export function describeNodes(): void {
  test.concurrent('a prelude finds what the profile of the home defines', async () => {
    const settings = `${fastSettings}prelude: ['module load "$HOME"']\n`;
    const project = await SlurmProject.on(cluster(), stage('loading', 'write'), settings);
    await project.edit(
      'tool.mjs',
      "if (what === 'fail')",
      "console.log('PATH: ' + process.env.PATH);\nif (what === 'fail')",
    );
    await project.write(
      'home/.bash_profile',
      'export PATH="/of/profile:/usr/bin:/bin"\nmodule() { echo "$*" > "$HOME/loaded"; PATH="/of/module:$PATH"; }\n',
    );
    const { stderr } = await project.call(['run', '--executor', 'slurm'], {
      HOME: project.at('home'),
      PATH: `/of/shell:${process.env.PATH}`,
    });
    expect(stderr).toContain('1 run');
    expect(project.read('home/loaded')).toBe(`load ${project.at('home')}\n`);
    expect(project.read('artifacts/.cache/logs/loading.log')).toMatch(
      /^PATH: \/of\/module:\/of\/shell:.*:\/of\/profile:\/usr\/bin:\/bin$/m,
    );
  });

  test.concurrent.each([
    [
      'command: [apptainer-of-another-node, exec]\n',
      /could not start: a program in its command was not found/,
    ],
    ['prelude: [module-of-another-site load x]\n', /failed in a line of its prelude/],
  ])('what a node lacks is told at once, with what the shell says of it: %j', async (more, text) => {
    const settings = `poll: 0.6s\npatience: 10m\n${more}`;
    const project = await SlurmProject.on(cluster(), stage('lacking', 'write'), settings);
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(text)]);
    expect(stderr).toMatch(/of-another-(node|site).*(command not found|load x)/);
    expect((await project.run()).stderr).toMatch(text);
  });

  test.concurrent('a node that does not have the project says so by its exit code, since its log is nowhere', async () => {
    const stray = stage('stray', 'write', ', resources: { flags: [--hold] }');
    const project = await SlurmProject.on(cluster(), stray);
    await project.run('--detach');
    const jobs = project.at('artifacts/.cache/jobs');
    const [token = ''] = readdirSync(jobs).filter((name) => name !== 'run.json');
    const { jobId } = JSON.parse(project.read(`artifacts/.cache/jobs/${token}/batch.json`));
    // As on a node with a disk of its own.
    await rename(`${jobs}/${token}`, project.at('elsewhere'));
    await cluster().ask('scontrol', 'release', jobId);
    await cluster().expectJobs('stray', [/^FAILED NonZeroExitCode/]);
    // Slurm has made a folder for the log there, which nobody would find.
    await rm(`${jobs}/${token}`, { recursive: true, force: true });
    await rename(project.at('elsewhere'), `${jobs}/${token}`);
    const { stderr, exitCode } = await project.call(['attach']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /stray failed: job \d+ on \S+ did not find the submitted files: the project is another folder there\n +Put it on a file system that the nodes share\.$/m,
    );
    expect(stderr).not.toContain('quota');
  });
}

/** Alone, since it ends the jobs of all others. */
export function describeFailingNode(): void {
  test('a job whose node has failed is submitted again', async () => {
    const project = await SlurmProject.on(cluster(), stage('moved', 'wait', ', retries: 1'));
    const running = project.run();
    await project.waitForCount('moved');
    const job = await cluster().findRunning('moved');
    // Otherwise Slurm itself would start it again.
    await cluster().ask('scontrol', 'update', `JobId=${job}`, 'Requeue=0');
    await cluster().failNode();
    await project.go();
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
    expect(stderr).toMatch(/the node of job \d+ on \S+ failed; submitting it again \(1 of 1\)/);
    expect(project.count('moved')).toBe(2);
    await cluster().expectJobs('moved', [/^NODE_FAIL/, /^COMPLETED/]);
  });
}
