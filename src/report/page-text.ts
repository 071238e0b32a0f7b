import { escapeMarkup } from '../text.ts';
import type { Inline, Text } from './document.ts';

/** A run of text as HTML. */
export function renderText(text: Text): string {
  return text.map(renderInline).join('');
}

function renderInline(inline: Inline): string {
  if (typeof inline === 'string') return escapeMarkup(inline);
  if ('strong' in inline) return `<strong>${escapeMarkup(inline.strong)}</strong>`;
  if ('code' in inline) return `<code>${escapeMarkup(inline.code)}</code>`;
  return `<a href="${escapeMarkup(inline.link)}">${escapeMarkup(inline.text)}</a>`;
}
