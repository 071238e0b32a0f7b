import type { Plan, StageInstance } from '../../runner/plan/plan.ts';

/** The stages of the reproduction, by their names in pipeline.yaml. */
export const stageNames = {
  verify: 'verify',
  frames: 'frames',
  train: 'train',
  evaluate: 'evaluate',
  report: 'report',
} as const;

/** The stage whose second input is a model file, which its parameter `train` overrides. */
export const trainModule = 'stages/train.ts';
export const reportModule = 'stages/report.ts';

/** The instances that run a module, whatever the name of their stage. */
export function listModules({ instances }: Plan, module: string): StageInstance[] {
  return [...instances.values()].filter(
    ({ command }) => command.kind === 'module' && command.path === module,
  );
}
