// Draws docs/images/report.png, the picture in README.md: the top of the last run's report, as shown by a browser.
//   npm run reproduce && node scripts/draw-report-picture.mjs [path of a Chromium]

import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '..');
const executablePath = process.argv[2] ?? process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1060, height: 1600 }, colorScheme: 'light' });
  await page.goto(pathToFileURL(path.join(root, 'artifacts', 'report', 'index.html')).href);
  const table = await page.locator('#table-1').boundingBox();
  const clip = { x: 0, y: 0, width: 1060, height: Math.round(table?.y ?? 1600) };
  await page.screenshot({ path: path.join(root, 'docs', 'images', 'report.png'), clip });
} finally {
  await browser.close();
}
