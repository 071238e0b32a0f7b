import process from 'node:process';
import { version as vega } from 'vega';
import { version as vegaLite } from 'vega-lite';
import type { Environment } from './sections/environment.ts';

/** What this process runs on, as far as it is in a stage's fingerprint: anything else could change without making the report stale. */
export function readEnvironment(): Environment {
  return {
    platform: `${process.platform} ${process.arch}`,
    packages: [`Vega ${vega}`, `Vega-Lite ${vegaLite}`],
  };
}
