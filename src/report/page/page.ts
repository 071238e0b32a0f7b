import { escapeMarkup } from '../../base/text.ts';
import type { LegendEntry } from '../drawing/figure.ts';
import { drawKey, type RenderedFigure } from '../drawing/render.ts';
import type {
  Block,
  Cell,
  Column,
  Gallery,
  GalleryPicture,
  Inline,
  Report,
  Section,
  Table,
  Text,
} from './document.ts';
import { PAGE_STYLE } from './style.ts';

/** The report as one self-contained HTML page: style and figures are inline. Its security policy allows no script, and no request. */
export function renderPage(report: Report, figures: readonly RenderedFigure[]): string {
  const drawn = new Map(figures.map((figure) => [figure.figure.id, figure]));
  return [
    ...renderPageHead(report.title),
    '<body>',
    '<a class="skip" href="#main">Skip to the results</a>',
    ...renderBanners(report),
    '<header>',
    `<h1>${escapeMarkup(report.title)}</h1>`,
    `<p class="subtitle">${renderText(report.subtitle)}</p>`,
    ...report.answer.map((block) => renderBlock(block, drawn)),
    ...(report.explore === undefined ? [] : [`<p class="explore">${renderText(report.explore)}</p>`]),
    '<dl class="facts">',
    ...report.facts.map(
      ({ name, value }) => `<div><dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd></div>`,
    ),
    '</dl>',
    '<nav aria-label="Sections"><ul>',
    ...report.sections.map(
      ({ id, title }) => `<li><a href="#${escapeMarkup(id)}">${escapeMarkup(title)}</a></li>`,
    ),
    '</ul></nav>',
    '</header>',
    '<main id="main">',
    ...report.sections.map((section) => renderSection(section, drawn)),
    '</main>',
    `<footer><p>${renderText(report.footer)}</p></footer>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** A link to a folded section leads to what it holds, so that browsers open it. */
function renderSection(
  { id, title, folded = false, blocks }: Section,
  drawn: ReadonlyMap<string, RenderedFigure>,
): string {
  const content = blocks.map((block) => renderBlock(block, drawn)).join('\n');
  const [name, head] = [escapeMarkup(id), `<h2>${escapeMarkup(title)}</h2>`];
  return folded
    ? `<section><details><summary>${head}</summary>\n<div id="${name}">\n${content}\n</div></details></section>`
    : `<section id="${name}">\n${head}\n${content}\n</section>`;
}

/** The beginning of a page up to its body: styles are inline, and nothing else is allowed than its policy says. */
export function renderPageHead(title: string, policy: readonly string[] = [], style = ''): string[] {
  const rules = [
    ...["default-src 'none'", "style-src 'unsafe-inline'", 'img-src data:'],
    ...policy,
    ...["base-uri 'none'", "form-action 'none'"],
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${rules.join('; ')}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    // Without an icon, browsers request one from the web server.
    '<link rel="icon" href="data:,">',
    `<title>${escapeMarkup(title)}</title>`,
    `<style>\n${PAGE_STYLE}${style}</style>`,
    '</head>',
  ];
}

export function renderBanners({ banners }: Pick<Report, 'banners'>): string[] {
  return banners.map(
    ({ title, text }) =>
      `<aside class="banner" aria-label="Warning"><p><strong>${escapeMarkup(title)}.</strong> ${escapeMarkup(text)}</p></aside>`,
  );
}

function renderBlock(block: Block, drawn: ReadonlyMap<string, RenderedFigure>): string {
  switch (block.kind) {
    case 'paragraph':
      return `<p${block.lead === true ? ' class="lead"' : ''}>${renderText(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${renderText(item)}</li>`).join('')}</ul>`;
    case 'commands':
      return [
        '<dl class="commands">',
        ...block.lines.map(
          ({ command, does }) =>
            `<div><dt><code>${escapeMarkup(command)}</code></dt><dd>${escapeMarkup(does)}</dd></div>`,
        ),
        '</dl>',
      ].join('\n');
    case 'table':
      return renderTable(block.table);
    case 'figure': {
      const figure = drawn.get(block.figure.id);
      if (figure === undefined) throw new Error(`renderPage: figure "${block.figure.id}" was not rendered`);
      return renderFigureBlock(figure);
    }
    case 'gallery':
      return renderGallery(block.gallery);
  }
}

/** Panels that are wider keep their size on a phone, and scroll. */
const PHONE_PX = 440;

function renderFigureBlock({ figure, panels }: RenderedFigure): string {
  const id = escapeMarkup(figure.id);
  const isSingle = figure.panels.length === 1;
  // A single panel fills its column, until its text would be larger than the text of the page.
  const natural = Math.max(0, ...figure.panels.map((panel) => panel.width));
  const styles = [
    ...(isSingle ? [`max-width: ${Math.round(natural * 1.2)}px`] : []),
    ...(natural > PHONE_PX ? [`--natural: ${natural}px`] : []),
  ];
  const style = styles.length === 0 ? '' : ` style="${styles.join('; ')}"`;
  const attributes =
    natural > PHONE_PX ? ` class="panels wide scroll" tabindex="0"${style}` : ` class="panels"${style}`;
  const layout = isSingle ? 'single' : `columns-${figure.columns}`;
  return [
    `<figure id="figure-${id}" class="${layout}">`,
    `<figcaption><h3>${escapeMarkup(figure.title)}</h3><p>${escapeMarkup(figure.caption)} <a href="figures/${id}.csv">Data as CSV</a></p>`,
    renderLegend(figure.legend),
    '</figcaption>',
    '<div>',
    `<div${attributes} role="img" aria-label="${escapeMarkup(figure.alt)}">`,
    ...panels.map((panel) => panel.replace('<svg ', '<svg aria-hidden="true" ')),
    '</div>',
    '</div>',
    '</figure>',
  ].join('\n');
}

function renderLegend(entries: readonly LegendEntry[]): string {
  if (entries.length === 0) return '';
  const items = entries.map(
    (entry) =>
      `<li><svg aria-hidden="true" width="24" height="12" viewBox="0 -1 24 12">${drawKey(entry)}</svg>${escapeMarkup(entry.label)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}

/** Pictures narrower than this are shown several in a row, others in two columns. */
const NARROW_PX = 300;

function renderGallery({ legend, pictures }: Gallery): string {
  const narrow = pictures.every(({ width }) => width < NARROW_PX);
  const swatch = (color: string): string =>
    `<svg aria-hidden="true" class="swatch" width="14" height="14"><rect x="1" y="1" width="12" height="12" rx="2" fill="${escapeMarkup(color)}" stroke="var(--grey)"/></svg>`;
  const entries = legend.map(({ label, color }) => `<li>${swatch(color)}${escapeMarkup(label)}</li>`);
  return [
    ...(entries.length === 0 ? [] : [`<ul class="legend">${entries.join('')}</ul>`]),
    // Clips, unlike photographs, are drawn on white, and turn dark with the page.
    `<ul class="gallery${narrow ? ' narrow' : ''}${legend.length > 0 ? ' events' : ''}">`,
    ...pictures.map(renderPicture),
    '</ul>',
  ].join('\n');
}

/** The picture itself is in the page, so that the page can be moved and sent on its own. */
function renderPicture({ title, details, alt, width, height, png }: GalleryPicture): string {
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  return [
    `<li><h3>${escapeMarkup(title)}</h3>`,
    `<img src="${source}" width="${width}" height="${height}" alt="${escapeMarkup(alt)}">`,
    ...details.map((line) => `<p>${escapeMarkup(line)}</p>`),
    '</li>',
  ].join('\n');
}

function renderTable(table: Table): string {
  const id = escapeMarkup(table.id);
  return [
    `<div class="table" id="${id}">`,
    `<p class="caption" id="${id}-caption">${escapeMarkup(table.caption)}</p>`,
    // A wide table scrolls on its own, also by keyboard; its caption stays in view.
    `<div class="scroll" role="region" aria-labelledby="${id}-caption" tabindex="0">`,
    `<table aria-labelledby="${id}-caption">`,
    `<thead>${renderHead(table)}</thead>`,
    '<tbody>',
    ...table.rows.map(
      (row) => `<tr>${row.map((cell, column) => renderCell(table, cell, column)).join('')}</tr>`,
    ),
    '</tbody>',
    '</table>',
    '</div>',
    ...table.notes.map((note) => `<p class="note">${renderText(note)}</p>`),
    '</div>',
  ].join('\n');
}

/** Two rows if some columns are in groups: the groups, and below them their columns. */
function renderHead({ columns }: Table): string {
  const label = (column: Column, rest = ''): string =>
    `<th scope="col"${rest}${column.numeric === true ? ' class="number"' : ''}>${escapeMarkup(column.label)}</th>`;
  const grouped = columns.filter(({ group }) => group !== undefined);
  if (grouped.length === 0) return `<tr>${columns.map((column) => label(column)).join('')}</tr>`;
  const top = columns.map((column, at) => {
    const { group } = column;
    if (group === undefined) return label(column, ' rowspan="2"');
    if (columns[at - 1]?.group === group) return '';
    const end = columns.findIndex((other, index) => index > at && other.group !== group);
    const span = (end < 0 ? columns.length : end) - at;
    return `<th class="group" scope="colgroup" colspan="${span}">${escapeMarkup(group)}</th>`;
  });
  return `<tr>${top.join('')}</tr><tr>${grouped.map((column) => label(column)).join('')}</tr>`;
}

function renderCell(table: Table, { text, details = [], tone }: Cell, column: number): string {
  const classes = [...(table.columns[column]?.numeric === true ? ['number'] : []), ...(tone ? [tone] : [])];
  const attributes = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`;
  const lines = details.map((line) => `<span class="detail">${escapeMarkup(line)}</span>`).join('');
  const value = tone === 'differs' ? `<strong>${escapeMarkup(text)}</strong>` : escapeMarkup(text);
  const [name, scope] = column === 0 ? ['th', ' scope="row"'] : ['td', ''];
  return `<${name}${scope}${attributes}>${value}${lines}</${name}>`;
}

export function renderText(text: Text): string {
  return text.map(renderInline).join('');
}

function renderInline(inline: Inline): string {
  if (typeof inline === 'string') return escapeMarkup(inline);
  if ('strong' in inline) return `<strong>${escapeMarkup(inline.strong)}</strong>`;
  if ('code' in inline) return `<code>${escapeMarkup(inline.code)}</code>`;
  return `<a href="${escapeMarkup(inline.link)}">${escapeMarkup(inline.text)}</a>`;
}
