import process from 'node:process';
import { colorsFor } from './colors.ts';
import { PlainView } from './plain-view.ts';
import type { View } from './view.ts';

/** The view that suits stderr: redrawn on a terminal, one line per event elsewhere. */
export async function openView(): Promise<View> {
  const colors = colorsFor(process.stderr);
  const interactive = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI;
  if (!interactive) return new PlainView((line) => void process.stderr.write(`${line}\n`), colors);
  const { LiveView } = await import('./live-view.ts');
  return new LiveView(process.stderr, colors);
}
