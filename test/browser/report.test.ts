import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectResults } from '../../src/report/collect.ts';
import { buildReport } from '../../src/report/report.ts';
import { writeReport } from '../../src/report/write.ts';
import { type MadeUp, QUICK, writeMadeUpResults } from '../report/made-up-results.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';

/** `logged`: whether the figures include logs of the authors. */
const RUNS: Readonly<Record<string, MadeUp & { readonly logged?: true }>> = {
  'four models on simulated gestures': QUICK,
  'one model on ten digits': {
    ...QUICK,
    dataset: 'nmnist',
    simulated: false,
    models: ['baseline'],
    clips: { train: 850, validation: 150, test: 100 },
  },
  'four models, three seeds and 600 epochs': {
    ...QUICK,
    simulated: false,
    seeds: [1, 2, 3],
    epochs: 600,
    layers: 7,
    logged: true,
  },
};

/** A made-up log of 700 epochs of 28 batches each. */
function makeLog(): string {
  const rows = Array.from({ length: 700 }, (_, epoch) => {
    const accuracy = 0.96 - 0.5 * Math.exp(-epoch / 30);
    const end = 28 * (epoch + 1);
    const w = Array.from({ length: 7 }, (_, layer) => `w${layer},${end},${(layer - 3) * 0.1}`);
    return [`test_accuracy,${epoch},${accuracy}`, `val_accuracy,${epoch},${accuracy + 0.03}`, ...w].join(
      '\n',
    );
  });
  const batches = Array.from(
    { length: 76 },
    (_, i) => `train_accuracy,${256 * i},1\ntrain_loss,${256 * i},0.001`,
  );
  return ['tag,step,value', ...rows, ...batches, ''].join('\n');
}

let folder: string | undefined;
let browser: Browser | undefined;
const addresses = new Map<string, string>();

beforeAll(async () => {
  // First, because nothing else is needed without a browser.
  const executablePath = findChromium();
  folder = await mkdtemp(join(tmpdir(), 'report-browser-'));
  for (const [index, [name, made]] of Object.entries(RUNS).entries()) {
    const place = join(folder, String(index));
    const sources = await writeMadeUpResults(place, made);
    const reference = join(place, 'logs');
    await mkdir(reference);
    await writeFile(join(reference, 'baseline.csv'), makeLog());
    const results = await collectResults(made.logged ? { ...sources, reference } : sources, made);
    await writeReport(buildReport(results, { title: name, nodeMajor: '20' }), join(place, 'report'));
    addresses.set(name, pathToFileURL(join(place, 'report', 'index.html')).href);
  }
  browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
});
afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Visit {
  readonly page: Page;
  /** Errors, console messages, and requests for anything but the page itself. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

async function visit(name: string, colorScheme: 'light' | 'dark', width: number): Promise<Visit> {
  const address = addresses.get(name);
  if (address === undefined || browser === undefined) throw new Error(`no report named "${name}"`);
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    // The empty icon is inline.
    if (request.url() !== address && !request.url().startsWith('data:'))
      complaints.push(`request: ${request.url()}`);
  });
  await page.goto(address, { waitUntil: 'load' });
  return { page, complaints, close: () => context.close() };
}

/** Evaluates an expression in the page. It is text because the tests are compiled without the browser's types. */
const measure = <T>(page: Page, expression: string): Promise<T> => page.evaluate<T>(expression);

describe.each(Object.keys(RUNS))('the report of %s', (name) => {
  describe.each(['light', 'dark'] as const)('in a %s colour scheme', (scheme) => {
    it.each([1280, 400])('loads without errors or requests, %i px wide', async (width) => {
      const { page, complaints, close } = await visit(name, scheme, width);
      expect(complaints).toEqual([]);
      expect(await page.title()).toBe(name);
      expect(await measure(page, 'document.documentElement.scrollWidth')).toBe(width);
      await close();
    });

    it('shows every figure, rendered at a reasonable size', async () => {
      const { page, close } = await visit(name, scheme, 1280);
      const sizes = await measure<{ id: string; width: number; height: number; shapes: number }[]>(
        page,
        `[...document.querySelectorAll('figure .panels svg')].map((svg) => ({
          id: svg.closest('figure').id,
          width: svg.getBoundingClientRect().width,
          height: svg.getBoundingClientRect().height,
          shapes: svg.querySelectorAll('path, line, rect, text').length,
        }))`,
      );
      expect(new Set(sizes.map(({ id }) => id))).toEqual(
        new Set(['figure-outcomes', 'figure-accuracy', 'figure-loss', 'figure-tau', 'figure-confusion']),
      );
      for (const size of sizes) {
        expect(size.width).toBeGreaterThan(200);
        expect(size.height).toBeGreaterThan(100);
        expect(size.shapes).toBeGreaterThan(10);
      }
      await close();
    });

    it('has enough contrast between text and background, also in figures', async () => {
      const { page, close } = await visit(name, scheme, 1280);
      const contrasts = await measure<number[]>(page, CONTRASTS);
      expect(contrasts.length).toBeGreaterThan(20);
      // WCAG 2.2 requires 4.5 for small text at level AA.
      expect(Math.min(...contrasts)).toBeGreaterThan(4.5);
      await close();
    });
  });

  it('prints on white, as PDF, in either colour scheme', async () => {
    const { page, close } = await visit(name, 'dark', 1280);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await measure(page, 'getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
    await close();
  });
});

/** The WCAG 2 contrast ratio of each text against the page, taking opacity into account. */
const CONTRASTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const background = parse(getComputedStyle(document.body).backgroundColor);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (color, opacity) => {
    const mixed = parse(color).slice(0, 3).map((value, i) => value * opacity + background[i] * (1 - opacity));
    const [low, high] = [luminance(mixed), luminance(background)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const html = [...document.querySelectorAll('main p, main td, main th, main li, header dt, header dd, nav a, footer p')]
    .map((element) => contrast(getComputedStyle(element).color, 1));
  const svg = [...document.querySelectorAll('.panels text')]
    // Counts in coloured cells have the cell as their background, not the page.
    .filter((element) => element.closest('#figure-confusion') === null || element.getAttribute('fill-opacity') !== null)
    .map((element) => {
      const style = getComputedStyle(element);
      return contrast(style.fill, Number(style.opacity) * Number(style.fillOpacity));
    });
  return [...html, ...svg];
})()`;
