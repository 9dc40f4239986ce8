import {createCipheriv, createDecipheriv, createHmac, randomBytes} from 'node:crypto';
import {gunzipSync, gzipSync} from 'node:zlib';
import type {Digest, Sha256} from '../../core/digest.ts';
import type {Event} from '../../core/events.ts';
import type {Failure} from '../../core/failure.ts';
import type {ExchangeAddress, JobResult} from '../../core/ports.ts';
import type {Result} from '../../core/result.ts';
import type {Artifact} from '../../core/tree.ts';
import type {SentJob} from './sent-job.ts';
import type {ResultFile, TaskFile} from './files.ts';

/**
 * What a submission by the remote cache is told in its batch script, which Slurm shows to nobody but its owner. Whoever has
 * it can read the orders and the reports, and write reports.
 */
export interface Ticket {
  readonly type: 'slurm-ticket/1';
  readonly address: ExchangeAddress;
  /** Of this submission alone; 32 bytes as base64. */
  readonly key: string;
  /** Blob with the sealed order, by array task. */
  readonly orders: readonly Digest[];
}

/** What an array task is to do: jobs as data, without a path of this machine. */
export interface Order extends Pick<TaskFile, 'nodeMajor' | 'env'> {
  readonly type: 'slurm-order/1';
  /** Version of mixdown that the jobs are for. */
  readonly mixdown: string;
  readonly jobs: readonly SentJob[];
  /** Blobs that seem to be there and could not be used. */
  readonly mistrusted: readonly Sha256[];
}

/** How a job ended. Its outputs lie in the cache. */
export interface JobReport {
  readonly type: 'slurm-report/1';
  readonly result: Result<SentResult, Failure>;
  readonly place: ResultFile['place'];
  readonly log: string;
  /** The log as it was told. */
  readonly events: readonly Event[];
  /** Blobs that could not be had; the job has not run. */
  readonly lacking: readonly Sha256[];
}

export interface SentResult extends Omit<JobResult, 'outputs' | 'place' | 'log'> {
  readonly outputs: Readonly<Record<string, SentOutput>>;
}

export interface SentOutput {
  readonly artifact: Artifact;
  /** Where the job left it, relative to its folder. */
  readonly path: string;
}

export const ticketName = 'ticket.json';

/** Exit codes of the script for what cannot be told otherwise. */
export const exits = {
  noNode: 91,
  noMixdown: 92,
  noCache: 93,
  noOrder: 94,
  notSent: 95,
  noScratch: 96,
} as const;

const cipher = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/** A new key, as base64. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** Encrypts and signs. `name` says what it is: it can be opened as nothing else. */
export function seal(key: string, name: string, value: unknown): Buffer {
  const iv = randomBytes(ivBytes);
  const encryption = createCipheriv(cipher, Buffer.from(key, 'base64'), iv, {authTagLength: tagBytes});
  encryption.setAAD(Buffer.from(name));
  const text = gzipSync(JSON.stringify(value), {level: 1});
  const body = Buffer.concat([encryption.update(text), encryption.final()]);
  return Buffer.concat([iv, encryption.getAuthTag(), body]);
}

/** The value that was sealed; undefined when this is something else, or was changed. */
export function unseal<T extends {readonly type: string}>(
  key: string,
  name: string,
  bytes: Uint8Array,
  type: T['type'],
): T | undefined {
  try {
    const iv = bytes.subarray(0, ivBytes);
    const decryption = createDecipheriv(cipher, Buffer.from(key, 'base64'), iv, {authTagLength: tagBytes});
    decryption.setAAD(Buffer.from(name));
    decryption.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const text = Buffer.concat([decryption.update(bytes.subarray(ivBytes + tagBytes)), decryption.final()]);
    const value = JSON.parse(gunzipSync(text).toString('utf8')) as Partial<T> | null;
    return value?.type === type ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

export const orderName = (task: number): string => `order ${task}`;
export const reportName = (task: number, job: number): string => `report ${task}.${job}`;

/** Where a report lies: found and written by those alone who have the key. */
export function reportKey(key: string, task: number, job: number): Sha256 {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(reportName(task, job)).digest('hex') as Sha256;
}
