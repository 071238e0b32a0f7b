import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleModule } from '../../src/runner/freshness/bundle.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** A stage bundled as the runner does it, inside node_modules, from where its packages are found. */
export async function bundleStage(
  module: string,
): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(project, 'node_modules/.test-bundle-'));
  const file = path.join(folder, 'stage.mjs');
  const { text } = await bundleModule(project, module, file);
  await writeFile(file, text);
  return { file, remove: () => rm(folder, { recursive: true }) };
}
