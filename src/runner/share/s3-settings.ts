import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import type { RemoteSettings } from '../plan/plan.ts';

/** Where requests go. */
export interface S3Place {
  /** undefined: Amazon's, by region. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** Storage elsewhere usually has no regions, but the signature needs one. */
const regionElsewhere = 'us-east-1';

/**
 * Endpoint and region from the settings, else from where every AWS tool looks: variables, then the profile in `~/.aws/config`. The client
 * would find them by itself, but not that storage elsewhere takes the bucket in the path, and needs no region.
 */
export async function findS3Place(settings: RemoteSettings): Promise<S3Place> {
  const endpoint = settings.endpoint ?? (await readConfiguredEndpoint());
  const region = settings.region ?? (await readConfiguredRegion());
  return { endpoint, region: region ?? (endpoint === undefined ? undefined : regionElsewhere) };
}

async function readConfiguredEndpoint(): Promise<string | undefined> {
  const isIgnored = await loadConfig<string>({
    environmentVariableSelector: (env) => env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
    configFileSelector: (profile) => profile.ignore_configured_endpoint_urls,
    default: 'false',
  })();
  if (isIgnored === 'true') return undefined;
  return given(
    await loadConfig<string>({
      environmentVariableSelector: (env) => env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL,
      configFileSelector: (profile, file) => {
        const services = profile.services === undefined ? undefined : file?.[`services.${profile.services}`];
        return services?.['s3.endpoint_url'] ?? profile.endpoint_url;
      },
      default: '',
    })(),
  );
}

async function readConfiguredRegion(): Promise<string | undefined> {
  return given(
    await loadConfig<string>(
      {
        environmentVariableSelector: (env) => env.AWS_REGION || env.AWS_DEFAULT_REGION,
        configFileSelector: (profile) => profile.region,
        default: '',
      },
      NODE_REGION_CONFIG_FILE_OPTIONS,
    )(),
  );
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
