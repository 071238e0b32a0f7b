import { ReproError } from '../../errors.ts';

const credentialsFix =
  'Give credentials as for any AWS tool: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or ~/.aws/credentials.';

/** What S3 or its client calls an error -> our code, and what to do about it. */
const explanations: Readonly<Record<string, readonly [code: string, fix: string]>> = {
  NoSuchBucket: ['remote-missing', 'Create the bucket, or correct the address.'],
  AccessDenied: ['remote-denied', 'These credentials may not do that: ask for access to the bucket.'],
  Forbidden: ['remote-denied', 'These credentials may not do that: ask for access to the bucket.'],
  InvalidAccessKeyId: ['remote-denied', credentialsFix],
  SignatureDoesNotMatch: ['remote-denied', credentialsFix],
  ExpiredToken: ['remote-denied', 'The credentials have expired: get new ones.'],
  CredentialsProviderError: ['remote-denied', credentialsFix],
  RequestTimeTooSkewed: ['remote-denied', 'Set the clock of this machine.'],
  PermanentRedirect: ['remote-address', 'The bucket is in another region: set AWS_REGION or `cache.region`.'],
};

const networkFix =
  'Check the network and the endpoint (AWS_ENDPOINT_URL or `cache.endpoint`), then try again.';

/** Whether there is no such object. A bucket that does not exist is another matter. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

/** Gives an error of the S3 client the address and what to do about it. */
export function explainS3Error(error: unknown, address: string): unknown {
  if (!(error instanceof Error) || error instanceof ReproError) return error;
  const code = 'Code' in error && typeof error.Code === 'string' ? error.Code : error.name;
  const known = explanations[code] ?? explanations[statusOf(error) === 403 ? 'Forbidden' : error.name];
  const message = error.message.trim() === '' || error.message === 'UnknownError' ? code : error.message;
  if (known !== undefined)
    return new ReproError(known[0], message, { where: address, fix: known[1], cause: error });
  if (message.includes('Region is missing')) {
    const fix = 'Set AWS_REGION, or `cache.region` in pipeline.yaml.';
    return new ReproError('remote-address', 'no region is set', { where: address, fix, cause: error });
  }
  const systemCode = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return new ReproError('remote-unreachable', `${message}${systemCode}`, {
    where: address,
    fix: networkFix,
    cause: error,
  });
}

function statusOf(error: Error): unknown {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
    ? metadata.httpStatusCode
    : undefined;
}
