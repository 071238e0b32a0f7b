import path from 'node:path';

/**
 * The facts about this machine that pipeline.yaml may list under `facts:`. The runner does not know them;
 * each is determined only when a stage asks for it.
 */
export function factsOf(projectRoot: string): Readonly<Record<string, () => Promise<string>>> {
  return {
    engine: async () => {
      const { identifyEngine } = await import('../engines/identity.ts');
      const { probeCudaApart } = await import('./cuda-probe.ts');
      const cacheFolder = path.join(projectRoot, 'artifacts', '.cache');
      return identifyEngine({ projectRoot, cacheFolder }, probeCudaApart);
    },
  };
}
