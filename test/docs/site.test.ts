import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { repository } from './pages.ts';

interface SiteScript {
  buildSite(folder: string, options: { readonly run: string; readonly repository: string }): void;
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
  buildSite(folder, { run: await createRun(), repository: 'lab/plif' });
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
  expect(() => buildSite(folder, { run, repository: 'lab/plif' })).toThrow(
    'These links lead nowhere:\nindex.html: report/explore.html\nreport/index.html: explore.html',
  );
});
