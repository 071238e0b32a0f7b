import { escapeMarkup } from '../text.ts';
import type { OutsideFigure } from './document.ts';

import { renderText } from './page-text.ts';

/**
 * What the page's security policy has to allow for {@link renderOutsideFigure}: files of where the page itself comes from. Browsers do not
 * agree whether that includes the disk.
 */
export const OUTSIDE_SOURCES = ["object-src 'self' file:", "frame-src 'self' file:"];

/**
 * A picture that may be missing. An `object` then shows what it contains, without a script, and browsers report no error; a role would
 * hide that from screen readers. It keeps a size that can be read, and scrolls where that is too wide: the Tab key reaches the region that
 * scrolls, not the picture.
 */
export function renderOutsideFigure(figure: OutsideFigure): string {
  const { title, caption, alt, picture, data, absence } = figure;
  const id = escapeMarkup(figure.id);
  return [
    `<figure id="figure-${id}" class="outside">`,
    `<figcaption><h3>${escapeMarkup(title)}</h3><p>${renderText(caption)} <a href="${escapeMarkup(data)}">Data as CSV</a></p></figcaption>`,
    `<div class="scroll" role="region" aria-label="${escapeMarkup(title)}" tabindex="0">`,
    `<object data="${escapeMarkup(picture)}" type="image/svg+xml" tabindex="-1" aria-label="${escapeMarkup(alt)}"><p>${renderText(absence)}</p></object>`,
    '</div>',
    '</figure>',
  ].join('\n');
}
