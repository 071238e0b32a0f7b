import process from 'node:process';
import { compareRecorded, documentOf } from '../../apps/compare.ts';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { colorsFor } from '../view/colors.ts';
import { printJson, printWarning } from '../view/print.ts';
import { describeComparison } from './lines.ts';

interface CompareOptions extends PipelineOptions {
  readonly only?: string;
  readonly json?: boolean;
}

/** `repro compare A B`. */
export async function compare(a: string, b: string, options: CompareOptions): Promise<void> {
  const compared = await compareRecorded(a, b, options, printWarning);
  if (options.json === true) printJson(documentOf(compared));
  else process.stdout.write(`${describeComparison(compared, colorsFor(process.stdout)).join('\n')}\n`);
}
