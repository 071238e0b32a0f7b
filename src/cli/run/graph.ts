import process from 'node:process';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import { printWarning } from '../view/print.ts';

/** `repro graph`: shows the stages and their dependencies. */
export async function graph(
  options: PipelineOptions & { readonly format: 'text' | 'mermaid' | 'svg' | 'json' },
): Promise<void> {
  const { renderGraph } = await import('../../runner/extras/drawing/render.ts');
  const plan = await loadPlanForReading(options, printWarning);
  process.stdout.write(`${renderGraph(plan, options.json === true ? 'json' : options.format).trimEnd()}\n`);
}
