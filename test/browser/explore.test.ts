import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { measure, TITLES, useBrowser } from './visit.ts';

const visit = useBrowser();

describe.each(TITLES)('the explorable page of a report on %s', (title) => {
  test('opens from the disk, without a complaint, and shows what a network did', async () => {
    await visit(title, { file: 'explore.html' }, async ({ page, complaints }) => {
      await page.locator('#explore canvas').first().waitFor();
      expect(complaints).toEqual([]);
    });
  });

  test('has less than 8 MB, and is reached from the report', async () => {
    const file = fileURLToPath(new URL('explore.html', inject('reports')[title]));
    expect(statSync(file).size).toBeLessThan(8e6);
    await visit(title, {}, async ({ page }) => {
      await page.getByRole('link', { name: 'Explore the networks' }).click();
      expect(await page.title()).toMatch(/^Networks: /);
      await page.getByRole('link', { name: 'Back to the report' }).click();
      expect(page.url()).toBe(inject('reports')[title]);
    });
  });
});

test('the page carries the notices of the packages in it', () => {
  const page = readFileSync(new URL('explore.html', inject('reports')[TITLES[0]!]), 'utf8');
  expect(page).toMatch(/lit-html\n\nBSD 3-Clause License\n\nCopyright \(c\) 20\d\d Google LLC/);
});

test('the page’s policy allows WebAssembly in its thread, but no script of others and no request', async () => {
  await visit(TITLES[0]!, { file: 'explore.html' }, async ({ page, complaints }) => {
    // The smallest module: its magic number and version.
    const compileThere = `new Promise((resolve) => {
      const source = 'postMessage(String(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))))';
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => resolve(message);
    })`;
    expect(await measure(page, compileThere)).toBe('[object WebAssembly.Module]');
    expect(complaints).toEqual([]);
    const attempt = `new Promise((resolve) => {
      const blocked = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
        if (blocked.push(effectiveDirective + ' ' + blockedURI) === 2) resolve(blocked);
      });
      document.body.append(Object.assign(document.createElement('script'), { textContent: '1' }));
      fetch('https://example.org/').catch(() => undefined);
    })`;
    expect(await measure(page, attempt)).toEqual([
      'script-src-elem inline',
      'connect-src https://example.org/',
    ]);
  });
});
