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
} from '@aws-sdk/client-s3';
import type { RemoteSettings } from '../plan/plan.ts';
import type { Remote } from './remote.ts';
import { explainS3Error, isAbsent } from './s3-errors.ts';
import { findS3Place } from './s3-settings.ts';

/** Larger objects go up in parts, several at once; a single request may be at most 5 GB. */
const partsFromBytes = 16 * 1024 * 1024;

/** S3 takes at most this many parts. */
const partsAtMost = 10_000;

/** For each request; the client waits longer from one to the next. */
const attempts = 5;

/** Connections at once; the client's own default. */
const maxSockets = 50;

/** A server that does not answer at all. */
const connectMs = 10_000;

/** A connection on which nothing has arrived for this long is dead. */
const silenceMs = 60_000;

export interface S3Settings extends RemoteSettings {
  readonly bucket: string;
  readonly prefix: string;
}

/**
 * Opens a bucket. Credentials, region and endpoint come from the usual AWS variables and files, unless the settings name an
 * endpoint or region.
 */
export async function openS3(settings: S3Settings): Promise<Remote> {
  const { env } = process;
  // It would warn every user of a Node version that a later version of the client will not support.
  env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { endpoint, region } = await findS3Place(settings);
  const configuration: S3ClientConfig = {
    maxAttempts: attempts,
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: silenceMs,
      httpAgent: listenToErrors(new http.Agent({ keepAlive: true, maxSockets })),
      httpsAgent: listenToErrors(new https.Agent({ keepAlive: true, maxSockets })),
    },
    // Every byte is checked against its name here; not all compatible storage knows S3's own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  };
  return new S3Remote(new S3Client(configuration), settings);
}

/**
 * A server that answers before it has read a whole upload, and hangs up, leaves a socket with an error and no request: without a listener, that
 * would end the process.
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
    return this.#askFor(key, async (place) => {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(place));
      return ContentLength ?? 0;
    });
  }

  open(key: string, signal?: AbortSignal): Promise<Readable | null> {
    return this.#askFor(key, async (place) => {
      const { Body } = await this.#client.send(new GetObjectCommand(place), abortedBy(signal));
      // In Node the body is a stream, or missing if the object is empty.
      if (!(Body instanceof Readable)) return Readable.from([]);
      // It may break before anyone reads it, who is then told.
      Body.on('error', () => {});
      return Readable.from(explainBreak(Body, this.address));
    });
  }

  async upload(key: string, file: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
    await this.#explained(key, async (place) => {
      if (sizeBytes < partsFromBytes) {
        // From memory, so that it can be sent again.
        const Body = await readFile(file);
        await this.#client.send(new PutObjectCommand({ ...place, Body }), abortedBy(signal));
        return;
      }
      const { Upload } = await import('@aws-sdk/lib-storage');
      const partSize = Math.max(partsFromBytes / 2, Math.ceil(sizeBytes / partsAtMost));
      const params = { ...place, Body: createReadStream(file) };
      const upload = new Upload({ client: this.#client, params, partSize, queueSize: 3 });
      const abort = (): void => void upload.abort();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        signal?.throwIfAborted();
        await upload.done();
      } finally {
        signal?.removeEventListener('abort', abort);
        params.Body.destroy();
      }
    });
  }

  async write(key: string, content: string): Promise<void> {
    await this.#explained(key, (place) =>
      this.#client.send(
        new PutObjectCommand({ ...place, Body: Buffer.from(content), ContentType: 'application/json' }),
      ),
    );
  }

  async #askFor<T>(key: string, ask: (place: Place) => Promise<T>): Promise<T | null> {
    return this.#explained(key, async (place) => {
      try {
        return await ask(place);
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
  }

  async #explained<T>(key: string, work: (place: Place) => Promise<T>): Promise<T> {
    const full = this.#prefix === '' ? key : `${this.#prefix}/${key}`;
    try {
      return await work({ Bucket: this.#bucket, Key: full });
    } catch (error) {
      throw explainS3Error(error, this.address);
    }
  }
}

function abortedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** The client explains what goes wrong up to the first byte; a connection may break later. */
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
