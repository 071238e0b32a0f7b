import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { repository } from './pages.ts';

interface SiteScript {
  buildSite(folder: string, options: { readonly run: string; readonly repository: string }): Promise<void>;
}

const { buildSite }: SiteScript = await import(path.join(repository, 'scripts/site.mjs'));

/** The outputs of a run, as far as the site needs them: the report links the page beside it. */
async function createRun(): Promise<string> {
  const run = await temporaryFolder();
  await mkdir(path.join(run, 'report'));
  const report = '<style>\nbody { color: red }</style><a href="explore.html">Watch</a><a href="#part">';
  await writeFile(path.join(run, 'report/index.html'), report);
  const explore = `<a href="index.html#part">Back</a><script>'<a href="nothing">'</script>`;
  await writeFile(path.join(run, 'report/explore.html'), explore);
  return run;
}

test('the published pages link each other, and GitHub where a file is not published', async () => {
  const folder = path.join(await temporaryFolder(), 'site');
  await buildSite(folder, { run: await createRun(), repository: 'lab/plif' });
  const read = (page: string): string => readFileSync(path.join(folder, page), 'utf8');
  for (const page of ['report/explore.html', 'docs/results.html', 'results/control/report.html']) {
    expect(read('index.html')).toContain(`href="${page}"`);
    expect(existsSync(path.join(folder, page)), page).toBe(true);
  }
  const results = read('docs/results.html');
  expect(results).toContain('href="https://github.com/lab/plif/blob/main/docs/question.md"');
  expect(results).toContain('href="../results/control/report.html"');
  expect(results).toContain('body { color: red }');
  expect(results).toContain('https://lab.github.io/plif/docs/images/social-preview.png');
});

test('a site whose report links a file that is missing is refused', async () => {
  const run = await createRun();
  await rm(path.join(run, 'report/explore.html'));
  const folder = path.join(await temporaryFolder(), 'site');
  await expect(buildSite(folder, { run, repository: 'lab/plif' })).rejects.toThrow(
    [
      `${folder}  these links lead nowhere:\nindex.html: report/explore.html\nreport/index.html: explore.html`,
      'Mend them, remove this folder, and make the pages again.',
    ].join('\n  '),
  );
});

test('the command says in one message what is wrong and how to mend it, and at the end where the site is', async () => {
  const project = await temporaryFolder();
  for (const part of ['scripts/site.mjs', 'results', 'docs/results.md', 'docs/images', 'package.json'])
    await cp(path.join(repository, part), path.join(project, part), { recursive: true });
  const citation = path.join(project, 'CITATION.cff');
  await writeFile(citation, 'repository-code: "https://github.com/lab/plif"');
  const make = (...words: readonly string[]) => {
    const options = { cwd: project, env: {}, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/site.mjs', ...words], options);
    return [status, stdout, ...stderr.split('\n')];
  };
  const refusal = (problem: string, fix: string) => [1, '', expect.stringMatching(problem), `  ${fix}`, ''];
  expect(make('site')).toEqual(refusal('packages are not installed', 'Install them: npm ci'));
  await symlink(path.join(repository, 'node_modules'), path.join(project, 'node_modules'));
  expect(make('site')).toEqual(refusal('report  there is no report yet', 'Make it: ./repro run'));
  expect(existsSync(path.join(project, 'site'))).toBe(false);
  await cp(await createRun(), path.join(project, 'artifacts'), { recursive: true });
  const fix = 'Name a new or empty folder: node scripts/site.mjs FOLDER';
  expect(make()).toEqual(refusal('expected a folder, found none', fix));
  expect(make('CITATION.cff')).toEqual(refusal('CITATION.cff  no folder can be written here', fix));
  expect(make('docs')).toEqual(refusal('docs  this folder is not empty', fix));
  const place = 'site/index.html: open it in a browser, or put the folder on a web server.\n';
  expect(make('site')).toEqual([0, place, '']);
  expect(readFileSync(path.join(project, 'site/docs/results.html'), 'utf8')).toContain(
    'github.com/lab/plif/',
  );
  await rm(citation);
  expect(make('other').join('\n')).toMatch(/ENOENT.*CITATION\.cff'[\s\S]*at .*site\.mjs/);
});
