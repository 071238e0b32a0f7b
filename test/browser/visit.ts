import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, inject } from 'vitest';
import { CHROMIUM_FLAGS } from './chromium.ts';

export const TITLES = Object.keys(inject('reports'));

export interface Visit {
  readonly page: Page;
  /** Errors, console messages, and requests for anything but the page itself. */
  readonly complaints: readonly string[];
}

/** `file`: of the report, `index.html` by default; may have a fragment. */
type VisitOptions = BrowserContextOptions & { readonly file?: string };

/** Opens one browser for the tests of a file, with these flags, too. @returns what opens a report in it, and closes it after `look` */
export function useBrowser(flags: readonly string[] = []) {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: inject('chromium'),
      args: [...CHROMIUM_FLAGS, ...flags],
    });
  });
  afterAll(() => browser?.close());

  return async (
    title: string,
    { file = 'index.html', ...options }: VisitOptions,
    look: (visit: Visit) => Promise<void>,
  ): Promise<void> => {
    const report = inject('reports')[title];
    if (report === undefined || browser === undefined) throw new Error(`no report named "${title}"`);
    const address = new URL(file, report).href;
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(`console: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
      page.on('request', (request) => {
        // The empty icon is inline, and so is the explorable page's thread.
        if (!isExpected(request.url(), address) && !/^(data|blob):/.test(request.url()))
          complaints.push(`request: ${request.url()}`);
      });
      await page.goto(address, { waitUntil: 'load' });
      // What is folded has to be right, too.
      await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
      await look({ page, complaints });
    } finally {
      await context.close();
    }
  };
}

function isExpected(url: string, address: string): boolean {
  return url === address.replace(/#.*/, '');
}

/** Evaluates an expression in the page. It is text because the tests are compiled without the browser's types. */
export function measure<T>(page: Page, expression: string): Promise<T> {
  return page.evaluate<T>(expression);
}

interface Focused {
  /** Position among all elements. */
  readonly index: number;
  readonly text: string;
  readonly hasOutline: boolean;
  readonly isVisible: boolean;
}

const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const { outlineStyle } = getComputedStyle(element);
  const { width, height, left } = element.getBoundingClientRect();
  return {
    index: [...document.querySelectorAll('*')].indexOf(element),
    text: element.textContent.slice(0, 40),
    hasOutline: outlineStyle !== 'none',
    isVisible: width > 1 && height > 1 && left >= 0,
  };
})()`;

/** Presses the Tab key until it leaves the page, or comes back to an element. @returns what was focused, in this order */
export async function tabThrough(page: Page): Promise<Focused[]> {
  const order: Focused[] = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const focused = await measure<Focused | null>(page, FOCUSED);
    if (focused === null || order.some(({ index }) => index === focused.index)) return order;
    order.push(focused);
  }
}
