import { createHash } from 'node:crypto';
import { escapeMarkup } from '../../../base/text.ts';
import type { Report } from '../../page/document.ts';
import { renderBanners, renderPageHead, renderText } from '../../page/page.ts';
import type { Payload } from '../payload.ts';
import { EXPLORE_STYLE } from './style.ts';

/** The name of the page, beside the report's. */
export const EXPLORE_PAGE = 'explore.html';

/**
 * The explorable page as one file. Its security policy allows its own script, the thread that the script starts from itself, WebAssembly, and sound
 * that the reader opens; no request but for data within the script: that is how zstddec loads itself.
 *
 * @param script dist/explore.js
 */
export function renderExplorablePage(report: Report, payload: Payload, script: string): string {
  const title = escapeMarkup(report.title);
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = [
    `script-src 'sha256-${hash}' 'wasm-unsafe-eval'`,
    ...['worker-src blob:', 'media-src blob:', 'connect-src data:'],
  ];
  return [
    ...renderPageHead(`Networks: ${report.title}`, policy, EXPLORE_STYLE),
    '<body>',
    '<a class="skip" href="#main">Skip to the networks</a>',
    ...(payload.simulated ? renderBanners(report) : []),
    '<header>',
    '<h1>The networks of this run</h1>',
    `<p class="subtitle">${title}. <a href="index.html">Back to the report</a></p>`,
    '</header>',
    '<main id="main">',
    '<noscript><p>The networks run in your browser, by a script. Allow scripts to see them.</p></noscript>',
    '<div id="explore"></div>',
    '</main>',
    `<footer><p>${renderText(report.footer)}</p></footer>`,
    // A text in it must not end the element.
    `<script type="application/json" id="payload">${JSON.stringify(payload).replaceAll('<', '\\u003c')}</script>`,
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
