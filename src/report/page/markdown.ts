import { lowerFirst } from '../data/format.ts';
import type { Block, Cell, Gallery, Inline, Report, Table, Text } from './document.ts';

/** The report as Markdown, for reading on a code host; its figures are the SVG files next to it. */
export function renderMarkdown(report: Report): string {
  const parts = [
    `# ${escapeText(report.title)}`,
    renderText(report.subtitle),
    renderText(report.explore ?? []),
    ...report.banners.map(({ title, text }) => `> **${escapeText(title)}.** ${escapeText(text)}`),
    report.facts.map(({ name, value }) => `- ${escapeText(name)}: ${escapeText(value)}`).join('\n'),
    ...report.sections.flatMap((section) => [
      `## ${escapeText(section.title)}`,
      ...section.blocks.map(renderBlock),
    ]),
    '---',
    renderText(report.footer),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return renderText(block.text);
    case 'list':
      return block.items.map((item) => `- ${renderText(item)}`).join('\n');
    case 'commands':
      return ['```sh', ...alignComments(block.lines), '```'].join('\n');
    case 'table':
      return renderTable(block.table);
    case 'tables':
      return block.tables.map(renderTable).join('\n\n');
    case 'figure': {
      const { id, title, alt, caption } = block.figure;
      return [
        `### ${escapeText(title)}`,
        `![${escapeText(alt)}](figures/${id}.svg)`,
        `${escapeText(caption)} [Data as CSV](figures/${id}.csv).`,
      ].join('\n\n');
    }
    case 'outside-figure': {
      const { title, alt, picture, data, caption } = block.figure;
      return [
        `### ${escapeText(title)}`,
        `![${escapeText(alt)}](${picture})`,
        `${renderText(caption)} [Data as CSV](${data}).`,
      ].join('\n\n');
    }
    case 'gallery':
      return renderGallery(block.gallery);
  }
}

function renderGallery({ id, legend, pictures }: Gallery): string {
  return [
    legend.map(({ label }) => `- ${escapeText(label)}`).join('\n'),
    ...pictures.flatMap((picture) => [
      `### ${escapeText(picture.title)}`,
      `![${escapeText(picture.alt)}](${id}/${picture.id}.png)`,
      picture.details.map(escapeText).join('<br>'),
    ]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function alignComments(lines: readonly { command: string; does: string }[]): string[] {
  const width = Math.max(...lines.map(({ command }) => command.length));
  return lines.map(({ command, does }) => `${command.padEnd(width)}  # ${does}`);
}

function renderTable(table: Table): string {
  const head = table.columns.map(({ label, group }) =>
    group === undefined ? label : `${group}: ${lowerFirst(label)}`,
  );
  const rule = table.columns.map(({ numeric }) => (numeric === true ? '---:' : '---'));
  return [
    `**${escapeText(table.caption)}**`,
    '',
    `| ${head.map(escapeText).join(' | ')} |`,
    `| ${rule.join(' | ')} |`,
    ...table.rows.map((row) => `| ${row.map(renderCell).join(' | ')} |`),
    ...table.notes.flatMap((note) => ['', renderText(note)]),
  ].join('\n');
}

function renderCell({ text, details = [], tone }: Cell): string {
  const value = escapeText(text);
  return [tone === 'differs' ? `**${value}**` : value, ...details.map(escapeText)].join('<br>');
}

function renderText(text: Text): string {
  return text.map(renderInline).join('');
}

function renderInline(inline: Inline): string {
  if (typeof inline === 'string') return escapeText(inline);
  if ('strong' in inline) return wrap(inline.strong, '**');
  if ('code' in inline) return `\`${inline.code.replaceAll('`', "'")}\``;
  return `[${escapeText(inline.text)}](${inline.link})`;
}

/** Emphasis with its marks next to the words: `** a**` would not be emphasis. */
function wrap(text: string, mark: string): string {
  const inner = text.trim();
  const [before = '', after = ''] = text.split(inner);
  return `${before}${mark}${escapeText(inner)}${mark}${after}`;
}

/** Text on one line, with Markdown's special characters escaped. */
function escapeText(text: string): string {
  return text
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replace(/[\\`*_{}[\]<>|#~]/g, (character) =>
      character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`,
    );
}
