// Makes the pages that .github/workflows/pages.yml publishes: the report and the explorable page of the last run, the results of committed
// runs, and an index that links them.
//   ./repro run && node scripts/site.mjs FOLDER

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const preview = 'docs/images/social-preview.png';
const figures = ['docs/images/arms.svg', 'docs/images/epochs.svg'];

/** Of what the style of the report does not know. */
const style = `
body { padding-top: 2rem; }
nav { margin-bottom: 1rem; }
h2 { margin-top: 2.5rem; }
img { max-width: 100%; height: auto; }
table { display: block; overflow-x: auto; margin: 1rem 0; }
pre { overflow-x: auto; padding: .75rem 1rem; background: var(--tint); }
blockquote { margin: 1rem 0; padding: .75rem 1rem .1rem; background: var(--warn); border-left: 4px solid var(--warn-line); }
`;

/** What users can mend, in words for them. */
class Refusal extends Error {}

/**
 * Writes the site. Files keep their places in the repository, so that their links hold; those to files that are not published lead to GitHub.
 *
 * @param folder a new or empty one
 * @param options.run the outputs of a run, with `report/`
 * @param options.repository as GitHub names it: `OWNER/plif-repro`
 * @throws {Refusal} if the folder has files or cannot be written, if there is no report, or if a link leads nowhere
 */
export async function buildSite(folder, { run, repository }) {
  const { Marked } = await import('marked');
  if (!fs.existsSync(path.join(run, 'report/index.html')))
    throw new Refusal(`${path.join(run, 'report')}  there is no report yet.\n  Make it: ./repro run`);
  makeFolder(folder);
  const [owner, name] = repository.split('/');
  const reports = fs
    .readdirSync(path.join(root, 'results'))
    .sort()
    .map((profile) => `results/${profile}/report.md`)
    .filter((report) => fs.existsSync(path.join(root, report))); // a sweep has none
  const pages = ['docs/results.md', ...reports];
  fs.cpSync(path.join(run, 'report'), path.join(folder, 'report'), { recursive: true });
  fs.cpSync(path.join(root, 'results'), path.join(folder, 'results'), { recursive: true });
  for (const picture of [preview, ...figures])
    fs.cpSync(path.join(root, picture), path.join(folder, picture));
  const index = fs.readFileSync(path.join(folder, 'report/index.html'), 'utf8');
  const frame = {
    style: `${/<style>([\s\S]*?)<\/style>/.exec(index)?.[1] ?? ''}${style}`,
    picture: `https://${owner}.github.io/${name}/${preview}`,
  };
  const files = `https://github.com/${repository}/blob/main`;
  for (const page of pages) {
    const toPage = ({ href }) => {
      const target = path.posix.join(path.posix.dirname(page), href.split('#')[0]);
      if (/^(?:https?:|#)/.test(href)) return href;
      if (pages.includes(target)) return href.replace(/\.md(?=#|$)/, '.html');
      return target.startsWith('results/') || figures.includes(target) ? href : `${files}/${target}`;
    };
    const marked = new Marked({
      walkTokens: (token) => {
        if (token.type === 'link') token.href = toPage(token);
      },
    });
    const text = read(page);
    const home = path.posix.relative(path.posix.dirname(page), 'index.html');
    const body = `<nav><a href="${home}">All pages</a></nav>\n${marked.parse(text)}`;
    const file = path.join(folder, page.replace(/md$/, 'html'));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, renderPage(titleOf(text), body, frame));
  }
  const links = reports.map((page) => `- [${titleOf(read(page))}](${page.replace(/md$/, 'html')})`);
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const text = `# Does every neuron need its own time constant?

A reproduction of A. Pazderka, *The role of membrane time constant in the training of spiking neural networks* (BSc thesis, TU Delft, 2024):
[code and documentation](https://github.com/${repository}), version ${version}.

- [**Watch the networks at work**](report/explore.html): change their time constants, train them further, show them a clip of your own, and let your
  browser recompute a committed result, digit by digit.
- [**Read the report**](report/index.html) of the quick run that trained them, on simulated data: it shows that the pipeline works, and says nothing about
  the thesis.
- [**Results**](docs/results.html) of longer runs, also on real data.

The reports of these:

${links.join('\n')}
`;
  fs.writeFileSync(
    path.join(folder, 'index.html'),
    renderPage(titleOf(text), new Marked().parse(text), frame),
  );
  const dead = findDeadLinks(folder);
  if (dead.length > 0)
    throw new Refusal(
      `${folder}  these links lead nowhere:\n${dead.join('\n')}\n  Mend them, remove this folder, and make the pages again.`,
    );
}

function makeFolder(folder) {
  const fix = 'Name a new or empty folder: node scripts/site.mjs FOLDER';
  if (folder === '') throw new Refusal(`scripts/site.mjs  expected a folder, found none.\n  ${fix}`);
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (cause) {
    throw new Refusal(`${folder}  no folder can be written here: ${cause.message}.\n  ${fix}`, { cause });
  }
  if (fs.readdirSync(folder).length > 0)
    throw new Refusal(`${folder}  this folder is not empty, and no file in it is replaced.\n  ${fix}`);
}

function renderPage(title, body, { style, picture }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="og:title" content="${title}">
<meta property="og:image" content="${picture}">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
${body}</body>
</html>
`;
}

/** The links of all pages in a folder to files that are not there: `page: link`. */
function findDeadLinks(folder) {
  const pages = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'));
  return pages.sort().flatMap((page) => {
    // Scripts contain markup that is not of the page.
    const markup = fs
      .readFileSync(path.join(folder, page), 'utf8')
      .replaceAll(/<script\b[\s\S]*?<\/script>/g, '');
    return [...markup.matchAll(/ (?:href|src|data)="([^"#]+)/g)]
      .map(([, link]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => !fs.existsSync(path.join(folder, path.dirname(page), link)))
      .map((link) => `${page}: ${link}`);
  });
}

function titleOf(text) {
  return /^# (.*)$/m.exec(text)?.[1] ?? '';
}

function read(file) {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

if (import.meta.filename === fs.realpathSync(process.argv[1] ?? root)) {
  const [folder = ''] = process.argv.slice(2);
  try {
    const { parse } = await import('yaml');
    const [, cited] =
      /github\.com\/([^/]+\/[^/]+)/.exec(parse(read('CITATION.cff'))['repository-code']) ?? [];
    const repository = process.env.GITHUB_REPOSITORY ?? cited ?? 'OWNER/plif-repro';
    await buildSite(folder, { run: path.join(root, 'artifacts'), repository });
    console.log(
      `${path.join(folder, 'index.html')}: open it in a browser, or put the folder on a web server.`,
    );
  } catch (error) {
    const isMissing = error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing && !(error instanceof Refusal)) throw error;
    const missing = 'scripts/site.mjs  its packages are not installed.\n  Install them: npm ci';
    console.error(isMissing ? missing : error.message);
    process.exitCode = 1;
  }
}
