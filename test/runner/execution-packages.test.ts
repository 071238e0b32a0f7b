import { describe, expect, test } from 'vitest';
import { createWordProject, installWordlist } from './rig/word-project.ts';

const install = 'Install what package-lock.json lists: npm ci';

/** What `git pull` does to the lock file. */
async function createOutdatedProject() {
  const project = await createWordProject();
  await project.edit('package-lock.json', '1.0.0', '2.0.0');
  return project;
}

describe('a stage with a package', () => {
  test('is refused while another version is installed than package-lock.json has, and runs after npm ci', async () => {
    const project = await createOutdatedProject();
    await project.expectFailure(
      ['run'],
      1,
      'words failed: stages/words.ts  node_modules/wordlist is wordlist 1.0.0, package-lock.json has 2.0.0',
      install,
    );
    expect(project.has('artifacts/words')).toBe(false);
    const dry = await project.call(['run', '--dry-run']);
    expect(dry.stderr).toContain(install);
    await installWordlist(project, '2.0.0');
    expect((await project.call(['run'])).exitCode).toBe(0);
  });

  test('keeps a result made with the locked version, whatever is installed now', async () => {
    const project = await createWordProject();
    expect((await project.call(['run'])).exitCode).toBe(0);
    await project.edit('node_modules/wordlist/package.json', '1.0.0', '0.9.0');
    expect((await project.call(['run'])).exitCode).toBe(0);
    const forced = await project.call(['run', '--force', 'words']);
    expect(forced.stderr).toContain('is wordlist 0.9.0, package-lock.json has 1.0.0');
  });

  test('is not judged by a lock file whose packages are elsewhere, nor by one that is not there', async () => {
    const project = await createWordProject();
    await project.write(
      'package-lock.json',
      JSON.stringify({
        packages: {
          'node_modules/wordlist': { resolved: 'lists', link: true },
          lists: { version: '7.0.0', dependencies: { gone: '1' } },
          'node_modules/gone': { version: '1.0.0', optional: true },
        },
      }),
    );
    expect((await project.call(['run'])).exitCode).toBe(0);
    await project.remove('package-lock.json');
    expect((await project.call(['run'])).exitCode).toBe(0);
  });
});

describe('a stage module that imports a missing file', () => {
  test('stops run, its dry run and status before anything runs', async () => {
    const project = await createWordProject({
      'stages/late.ts': "import { x } from './gone.ts';\nexport default { summary: '', run() { x(); } };\n",
    });
    const pipeline = project.read('pipeline.yaml');
    await project.write(
      'pipeline.yaml',
      `${pipeline}  late:\n    run: stages/late.ts\n    inputs: [artifacts/words]\n    outputs: [artifacts/late]\n`,
    );
    for (const words of [['run'], ['run', '--dry-run'], ['status']]) {
      await project.expectFailure(
        words,
        2,
        'stages/late.ts:1:19  Could not resolve "./gone.ts"',
        'Correct the path of the import, or add the file.',
      );
    }
    expect(project.has('artifacts/words')).toBe(false);
  });
});
