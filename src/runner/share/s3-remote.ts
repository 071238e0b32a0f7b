import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import process from 'node:process';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import { ReproError } from '../../base/errors.ts';
import type { RemoteSettings } from '../plan/plan.ts';
import type { Remote } from './remote.ts';

/** Larger objects are uploaded in parts of this size, several at once. */
const partBytes = 8 * 1024 * 1024;

/** S3's limit of parts. */
const partsAtMost = 10_000;

/** For each request, with growing waits in between. */
const attempts = 3;

/** Connections at once: the client's default. */
const maxSockets = 50;

/** How long to wait for a connection. */
const connectMs = 10_000;

/** A connection on which nothing has arrived for this long is dead. */
const silenceMs = 30_000;

interface S3Settings extends RemoteSettings {
  readonly bucket: string;
  readonly prefix: string;
}

/**
 * Opens a bucket. Credentials, region and endpoint come from the usual AWS variables and files, unless the settings name an
 * endpoint or region.
 */
export function openS3(settings: S3Settings): Remote {
  const { env } = process;
  // Otherwise it warns about Node versions that later versions of the client will not support.
  env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { endpoint, region = findRegion() } = settings;
  const configuration: S3ClientConfig = {
    maxAttempts: attempts,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: silenceMs,
      httpAgent: listenToErrors(new http.Agent({ keepAlive: true, maxSockets })),
      httpsAgent: listenToErrors(new https.Agent({ keepAlive: true, maxSockets })),
    },
    // The runner checks every byte against the object's name; not all compatible storage supports S3's own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    region,
    // If the bucket is in another region than the one that is set, or than the default.
    followRegionRedirects: true,
    // Storage elsewhere expects the bucket in the path, and Amazon takes it there.
    forcePathStyle: true,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  return new S3Remote(new S3Client(configuration), settings);
}

/**
 * If a server answers and hangs up before it has read a whole upload, the socket has an error but no request. Without a listener that would end
 * the process.
 */
function listenToErrors<Agent extends http.Agent>(agent: Agent): Agent {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (...given) => create(...given)?.on('error', () => {});
  return agent;
}

class S3Remote implements Remote {
  readonly address: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(client: S3Client, { bucket, prefix }: S3Settings) {
    this.address = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  sizeOf(key: string): Promise<number | null> {
    return this.#find(key, async (place) => {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(place));
      return ContentLength ?? 0;
    });
  }

  open(key: string, signal?: AbortSignal): Promise<Readable | null> {
    return this.#find(key, async (place) => {
      const { Body } = await this.#client.send(new GetObjectCommand(place), abortedBy(signal));
      // In Node the body is a stream, or missing if the object is empty.
      if (!(Body instanceof Readable)) return Readable.from([]);
      // It may break before anyone reads it; the reader then gets the error.
      Body.on('error', () => {});
      return Readable.from(explainBreak(Body, this.address));
    });
  }

  write(key: string, content: Parameters<Remote['write']>[1], signal?: AbortSignal): Promise<void> {
    return this.#ask(key, async (place) => {
      signal?.throwIfAborted();
      const isText = typeof content === 'string';
      if (isText || content.sizeBytes <= partBytes) {
        // From memory, so that a retry can send it again. Not by `Upload`, whose request goes on after an abort.
        const Body = isText ? Buffer.from(content) : await readFile(content.file);
        await this.#client.send(new PutObjectCommand({ ...place, Body }), abortedBy(signal));
        return;
      }
      const body = createReadStream(content.file);
      const partSize = Math.max(partBytes, Math.ceil(content.sizeBytes / partsAtMost));
      const params = { ...place, Body: body };
      const upload = new Upload({ client: this.#client, params, partSize, queueSize: 3 });
      const abort = (): void => void upload.abort();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await upload.done();
      } finally {
        signal?.removeEventListener('abort', abort);
        body.destroy();
      }
    });
  }

  /** @returns null if the object does not exist; a missing bucket is an error */
  #find<T>(key: string, ask: (place: Place) => Promise<T>): Promise<T | null> {
    return this.#ask(key, (place) =>
      ask(place).catch((error: unknown) => {
        if (error instanceof Error && ['NoSuchKey', 'NotFound'].includes(error.name)) return null;
        throw error;
      }),
    );
  }

  async #ask<T>(key: string, ask: (place: Place) => Promise<T>): Promise<T> {
    const full = this.#prefix === '' ? key : `${this.#prefix}/${key}`;
    try {
      return await ask({ Bucket: this.#bucket, Key: full });
    } catch (error) {
      throw explainS3Error(error, this.address);
    }
  }
}

function abortedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** Explains a connection that breaks after the first byte. */
async function* explainBreak(body: Readable, address: string): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw explainS3Error(error, address);
  }
}

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

const credentialsFix =
  'Give credentials as for any AWS tool: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or ~/.aws/credentials.';

/** The name of an error of S3 or its client -> our code, and what to do. */
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

/** Adds the address and what to do to an error of the S3 client. */
function explainS3Error(error: unknown, address: string): unknown {
  if (!(error instanceof Error) || error instanceof ReproError) return error;
  const { Code, code, $metadata } = error as Partial<S3ServiceException> & { Code?: string; code?: string };
  const name = Code ?? error.name;
  const known =
    explanations[name] ?? explanations[$metadata?.httpStatusCode === 403 ? 'Forbidden' : error.name];
  const message = ['', 'UnknownError'].includes(error.message.trim()) ? name : error.message;
  const text = known !== undefined || code === undefined ? message : `${message} (${code})`;
  const [ownCode, fix] = known ?? ['remote-unreachable', networkFix];
  return new ReproError(ownCode, text, { where: address, fix, cause: error });
}

/** From where every AWS tool looks: variables, then the profile in `~/.aws/config`. Storage elsewhere has no regions, but a signature needs one. */
const findRegion = () =>
  loadConfig<string>(
    {
      environmentVariableSelector: (env) => env.AWS_REGION || env.AWS_DEFAULT_REGION,
      configFileSelector: (profile) => profile.region,
      default: 'us-east-1',
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  );
