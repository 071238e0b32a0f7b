import { unreachable } from '../../../errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { drawJson } from './json.ts';
import { drawMermaid } from './mermaid.ts';
import { drawSvg } from './svg.ts';
import { drawText } from './text.ts';

export type GraphFormat = 'text' | 'mermaid' | 'svg' | 'json';

/** Draws the stages of a plan and what they read from each other; the instances of a matrix are drawn as one. */
export function renderGraph(plan: Plan, format: GraphFormat): string {
  switch (format) {
    case 'text':
      return drawText(plan);
    case 'mermaid':
      return drawMermaid(plan);
    case 'svg':
      return drawSvg(plan);
    case 'json':
      return drawJson(plan);
    default:
      return unreachable(format);
  }
}
