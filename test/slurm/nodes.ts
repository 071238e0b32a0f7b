import { rename } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cluster, hostName } from './slurm-cluster.ts';
import { fastSettings, SlurmProject, stage } from './slurm-project.ts';

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
    expect(stderr).toMatch(/of-another-(node|site).*(not found|load x)/);
    expect((await project.run()).stderr).toMatch(text);
  });

  test.concurrent('a node that does not have the project says so by its exit code, since its log is nowhere', async () => {
    const settings = `${fastSettings}defaults: { flags: [--hold] }\n`;
    const project = await SlurmProject.on(cluster(), stage('stray', 'write'), settings);
    const running = project.run();
    await cluster().expectJobs('stray', [/^PENDING/]);
    running.kill('SIGKILL');
    await running;
    const [id = ''] =
      /^\d+(?= stray)/m.exec(await cluster().ask('squeue', '--noheader', '--format=%i %j')) ?? [];
    // As on a node with a disk of its own.
    const folder = project.at('artifacts/.cache/jobs/stages');
    await rename(folder, project.at('elsewhere'));
    await cluster().ask('scontrol', 'release', id);
    await cluster().expectJobs('stray', [/^FAILED NonZeroExitCode/]);
    await rename(project.at('elsewhere'), folder);
    const { stderr, exitCode } = await project.call(['attach']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /stray failed: job \d+ on \S+ did not find the submitted files: the project is another folder there\n +Put it on a file system that the nodes share\.$/m,
    );
  });

  test.concurrent('two nodes that share the folder work on one graph, each on what the other has made', async () => {
    const stages = `${stage('here', 'write')}${stage('there', 'write', ', inputs: [artifacts/here]')}${stage('back', 'write', ', inputs: [artifacts/there]')}`;
    const on = (node: string): string => `{ partition: both, flags: [--nodelist=${node}] }`;
    const settings = `${fastSettings}stages: { here: ${on(hostName)}, there: ${on('second')}, back: ${on(hostName)} }\n`;
    const project = await SlurmProject.on(cluster(), stages, settings);
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('3 run')]);
    const jobs = await cluster().ask('squeue', '--noheader', '--states=all', '--format=%j %N');
    for (const name of ['here', 'back'])
      expect(jobs).toMatch(new RegExp(`^${name}\\.\\w+ ${hostName}$`, 'm'));
    expect(jobs).toMatch(/^there\.\w+ second$/m);
    expect(project.read('artifacts/back/text')).toBe('back\n');
  });
}
