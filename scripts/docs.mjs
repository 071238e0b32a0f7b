// Makes and checks what README.md and docs/ show of a quick run: runs it, compares the examples (test/docs), also those that take a whole
// run, and draws docs/images/report.png, the top of the run's report as a browser shows it.
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
  const page = await browser.newPage({ viewport: { width: 1060, height: 1600 }, colorScheme: 'light' });
  await page.goto(pathToFileURL(path.join(root, 'artifacts', 'report', 'index.html')).href);
  const table = await page.locator('#table-1').boundingBox();
  if (table === null) throw new Error('The report has no #table-1, above which the picture ends.');
  const clip = { x: 0, y: 0, width: 1060, height: Math.round(table.y) };
  await page.screenshot({ path: path.join(root, 'docs', 'images', 'report.png'), clip });
} finally {
  await browser.close();
}

function run(...words) {
  const env = { ...process.env, REPRO_QUICK_RUN: root };
  execFileSync(process.execPath, words, { cwd: root, env, stdio: 'inherit' });
}
