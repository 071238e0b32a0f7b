import { escapeMarkdown } from '../../base/text.ts';
import { lowerFirst } from '../../verdicts/words.ts';
import type { Block, Cell, Gallery, Inline, Report, Table, Text } from './document.ts';

/** The report as Markdown, for reading on a code host; its figures are the SVG files next to it. */
export function renderMarkdown(report: Report): string {
  const parts = [
    `# ${escapeMarkdown(report.title)}`,
    renderText(report.subtitle),
    renderText(report.explore ?? []),
    ...report.banners.map(({ title, text }) => `> **${escapeMarkdown(title)}.** ${escapeMarkdown(text)}`),
    ...report.answer.map(renderBlock),
    report.facts.map(({ name, value }) => `- ${escapeMarkdown(name)}: ${escapeMarkdown(value)}`).join('\n'),
    ...report.sections.flatMap(({ title, folded = false, blocks }) => [
      `## ${escapeMarkdown(title)}`,
      ...(folded ? ['<details><summary>Show</summary>'] : []),
      ...blocks.map(renderBlock),
      ...(folded ? ['</details>'] : []),
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
    case 'figure': {
      const { id, title, alt, caption } = block.figure;
      return [
        `### ${escapeMarkdown(title)}`,
        `![${escapeMarkdown(alt)}](figures/${id}.svg)`,
        `${escapeMarkdown(caption)} [Data as CSV](figures/${id}.csv).`,
      ].join('\n\n');
    }
    case 'gallery':
      return renderGallery(block.gallery);
  }
}

function renderGallery({ id, legend, pictures }: Gallery): string {
  return [
    legend.map(({ label }) => `- ${escapeMarkdown(label)}`).join('\n'),
    ...pictures.flatMap((picture) => [
      `### ${escapeMarkdown(picture.title)}`,
      `![${escapeMarkdown(picture.alt)}](${id}/${picture.id}.png)`,
      picture.details.map(escapeMarkdown).join('<br>'),
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
    `**${escapeMarkdown(table.caption)}**`,
    '',
    `| ${head.map(escapeMarkdown).join(' | ')} |`,
    `| ${rule.join(' | ')} |`,
    ...table.rows.map((row) => `| ${row.map(renderCell).join(' | ')} |`),
    ...table.notes.flatMap((note) => ['', renderText(note)]),
  ].join('\n');
}

function renderCell({ text, details = [], tone }: Cell): string {
  const value = escapeMarkdown(text);
  return [tone === 'differs' ? `**${value}**` : value, ...details.map(escapeMarkdown)].join('<br>');
}

function renderText(text: Text): string {
  return text.map(renderInline).join('');
}

function renderInline(inline: Inline): string {
  if (typeof inline === 'string') return escapeMarkdown(inline);
  if ('strong' in inline) return wrap(inline.strong, '**');
  if ('code' in inline) return `\`${inline.code.replaceAll('`', "'")}\``;
  return `[${escapeMarkdown(inline.text)}](${inline.link})`;
}

/** Emphasis with its marks next to the words: `** a**` would not be emphasis. */
function wrap(text: string, mark: string): string {
  const inner = text.trim();
  const [before = '', after = ''] = text.split(inner);
  return `${before}${mark}${escapeMarkdown(inner)}${mark}${after}`;
}
