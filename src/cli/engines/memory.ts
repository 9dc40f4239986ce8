import {readdirSync, rmSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {isObject} from '../../core/json.ts';
import type {EngineCheck, EngineName} from '../../core/tensor-engine.ts';
import {readCacheJson, writeCacheJson} from '../../config/cache-file.ts';
import type {GpuDiscovery} from '../../exec/devices.ts';

/** What was found out on a machine in one state: `cache/engines/<stamp>.json`. */
export interface EngineMemory {
  /** The GPUs, and the start of the system since which they are these. */
  readonly devices?: {readonly boot: string; readonly found: GpuDiscovery};
  readonly checks: Readonly<Partial<Record<EngineName, RememberedCheck>>>;
}

export interface RememberedCheck {
  readonly check: EngineCheck;
  /** When it is to be looked at again, in milliseconds since the epoch; absent: when the state changes. */
  readonly until?: number;
}

const format = 'engines/1';

/** States of machines (drivers, masks, versions) whose findings are kept side by side. */
const mostMemories = 20;

/** An empty memory when there is none, or a damaged one. */
export function readMemory(file: string): EngineMemory {
  const value = readCacheJson(file) as (EngineMemory & {readonly format?: string}) | undefined;
  return value?.format === format && isObject(value.checks as never) ? value : {checks: {}};
}

/** Where it cannot be written, things are found out anew the next time. */
export function writeMemory(file: string, {devices, checks}: EngineMemory): void {
  if (writeCacheJson(file, {format, ...(devices ? {devices} : {}), checks})) prune(dirname(file));
}

function prune(folder: string): void {
  try {
    const files = readdirSync(folder).map((name) => join(folder, name));
    if (files.length <= mostMemories) return;
    const aged = files.map((path) => ({path, at: statSync(path).mtimeMs})).sort((a, b) => b.at - a.at);
    for (const {path} of aged.slice(mostMemories)) rmSync(path, {force: true});
  } catch {
    // Another process removes them at this moment.
  }
}
