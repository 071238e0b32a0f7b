import process from 'node:process';
import { colorsFor } from './colors.ts';
import { PlainView } from './plain-view.ts';
import type { View } from './view.ts';

/** The view that suits stderr: redrawn on a terminal, one line per event elsewhere. */
export async function openView(): Promise<View> {
  const colors = colorsFor(process.stderr);
  if (!isInteractive()) return new PlainView((line) => void process.stderr.write(`${line}\n`), colors);
  const { LiveView } = await import('./live-view.ts');
  return new LiveView(process.stderr, colors);
}

/** Whether stderr is a terminal that can be redrawn, and not one whose output a service collects. */
function isInteractive(): boolean {
  const { CI, GITHUB_ACTIONS, TERM } = process.env;
  const isSet = (value: string | undefined): boolean => !['', '0', 'false'].includes(value ?? '');
  return process.stderr.isTTY === true && TERM !== 'dumb' && !isSet(CI) && !isSet(GITHUB_ACTIONS);
}
