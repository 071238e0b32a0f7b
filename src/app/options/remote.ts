import { ReproError } from '../../base/errors.ts';
import type { Plan, RemoteSettings } from '../../runner/plan/plan.ts';
import type { Remote } from '../../runner/share/remote.ts';

/**
 * The remote cache of `--remote`, else of pipeline.yaml.
 *
 * @throws {ReproError} `usage` if there is none
 */
export function remoteSettingsOf(plan: Plan, address: string | undefined): RemoteSettings {
  const configured = plan.remote;
  if (address !== undefined) {
    // The configured endpoint and region also hold for other buckets of that storage.
    const isAlike = address.startsWith('s3://') && configured?.address.startsWith('s3://') === true;
    return isAlike ? { ...configured, address } : { address };
  }
  if (configured !== undefined) return configured;
  throw new ReproError('usage', 'there is no remote cache', {
    fix: 'Name one with --remote (a folder, or s3://bucket/prefix), or write it into pipeline.yaml:\n  cache: { remote: s3://bucket/prefix }',
  });
}

export async function openConfiguredRemote(
  plan: Plan,
  address: string | undefined,
  isNewAllowed = false,
): Promise<Remote> {
  const settings = remoteSettingsOf(plan, address);
  const { openRemote } = await import('../../runner/share/open-remote.ts');
  return openRemote(settings, plan.projectRoot, isNewAllowed);
}
