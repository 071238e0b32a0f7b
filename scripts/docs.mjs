// Makes and checks what README.md and docs/ show of a quick run: runs it, compares the examples (test/docs), also those that take a whole
// run, and draws docs/images/report.png and explore.png, the tops of the run's two pages as a browser shows them, and social-preview.png,
// which GitHub shows where the repository is linked.
//   npm run docs [-- path of a Chromium]

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '..');
const executablePath = process.argv[2] ?? process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

run('bin/repro.js', 'run');
run('node_modules/vitest/vitest.mjs', 'run', 'test/docs');

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  await draw('index.html', 'report.png', 1060, async (page) => {
    const table = await page.locator('#table-1').boundingBox();
    if (table === null) throw new Error('The report has no #table-1, above which the picture ends.');
    return table.y;
  });
  // A clip that has gone on for a while, and a neuron.
  await draw('explore.html#model=1&step=8', 'explore.png', 1280, async (page) => {
    await page
      .getByText(/leads from step|Undecided/)
      .first()
      .waitFor();
    await drawPreview(page);
    return 1350;
  });
} finally {
  await browser.close();
}

/** Draws the top of a page of the report at a width, down to the height that `measure` gives, both in pixels. */
async function draw(address, picture, width, measure) {
  const page = await browser.newPage({
    viewport: { width, height: 1600 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  const [file, state = ''] = address.split('#');
  await page.goto(`${pathToFileURL(path.join(root, 'artifacts', 'report', file)).href}#${state}`);
  const clip = { x: 0, y: 0, width, height: Math.round(await measure(page)) };
  await page.screenshot({ path: path.join(root, 'docs', 'images', picture), clip });
}

/** Draws the picture of 1280 x 640 pixels for links to the repository: what a network sees, how it votes and what one neuron does. */
async function drawPreview(explore) {
  const { y } = await explore.getByRole('heading', { name: 'What the network sees' }).boundingBox();
  const clip = { x: 0, y: y - 8, width: 1280, height: 370 };
  const band = await explore.screenshot({ clip, style: 'table { visibility: hidden }' });
  const page = await browser.newPage({ viewport: { width: 1280, height: 640 } });
  await page.setContent(`<body style="margin: 0; background: #fff; color: #1b1f24; font-family: system-ui, sans-serif">
    <h1 style="margin: 48px 20px 0; font-size: 60px; letter-spacing: -.02em">Does every neuron need its own τ?</h1>
    <p style="margin: 10px 20px 34px; font-size: 31px; line-height: 1.35; color: #57606a">Spiking networks with learned membrane time constants:<br>
      a thesis reproduced by one command, to watch in the browser</p>
    <img alt="" src="data:image/png;base64,${band.toString('base64')}">`);
  await page.screenshot({ path: path.join(root, 'docs', 'images', 'social-preview.png') });
  await page.close();
}

function run(...words) {
  const env = { ...process.env, REPRO_QUICK_RUN: root };
  execFileSync(process.execPath, words, { cwd: root, env, stdio: 'inherit' });
}
