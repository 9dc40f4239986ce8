import {closeSync, openSync, readdirSync, readSync} from 'node:fs';
import {cpus} from 'node:os';
import {sha256, type Sha256} from '../core/digest.ts';
import {enginePackages, type EngineName} from '../core/tensor-engine.ts';
import {listingProgram} from './devices.ts';
import {pick, type Environment} from './environment.ts';

/** Name to version of the installed packages that the engines may compute with. */
export type EngineVersions = Readonly<Record<string, string>>;

/** Variables that decide which devices and libraries an engine finds. */
const variables = [
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'CUDA_HOME',
  'CUDA_PATH',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'XDG_DATA_DIRS',
  'VK_ICD_FILENAMES',
  'VK_DRIVER_FILES',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
];

/** Folders whose listing changes with the drivers and the devices of a machine. */
const folders = [
  '/proc/driver/nvidia/gpus',
  '/proc/driver/nvidia/capabilities/gpu0/mig',
  '/dev/dri',
  '/usr/share/vulkan/icd.d',
  '/etc/vulkan/icd.d',
];

/** Packages that the engine lacks; of each list of which any one would do, the first. */
export function missingPackages(engine: EngineName, versions: EngineVersions): readonly string[] {
  return enginePackages[engine].flatMap((choices) =>
    choices.some((name) => name in versions) ? [] : choices.slice(0, 1),
  );
}

/** Versions of the packages that compute when this engine does. */
export function versionsFor(engine: EngineName, versions: EngineVersions): Readonly<Record<string, string>> {
  const own = enginePackages[engine].map((choices) => choices.find((name) => name in versions));
  const used = Object.entries(versions).filter(([name]) => name === library || own.includes(name));
  return Object.fromEntries(used);
}

/** What all engines have in common. */
const library = '@tensorflow/tfjs-core';

/**
 * Changes when an engine might work that did not, or the other way round: with Node, the packages, the processor, the driver,
 * the devices, and the variables that choose among them. Takes a few small reads.
 *
 * @param code - digest of what tries the engines, with the versions of all their packages
 */
export function engineStamp(env: Environment, code: Sha256): Sha256 {
  const {platform, arch} = process;
  const facts = [
    code,
    [process.versions.node, platform, arch, processorModel()],
    pick(env, variables),
    listingProgram(env) ?? '',
    readHead('/proc/driver/nvidia/version') ?? '',
    folders.map(listing),
  ];
  return sha256(JSON.stringify(facts));
}

/** Changes with each start of the system, which is when devices come and go. */
export function bootId(): string {
  return readHead('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/** What the processor can do decides which code the libraries run. */
function processorModel(): string {
  const [first = ''] = readHead('/proc/cpuinfo')?.split('\n\n') ?? [];
  const facts = first.split('\n').filter((line) => /^(model name|flags|Features|CPU [a-z]+)\s*:/.test(line));
  return facts.length === 0 ? (cpus()[0]?.model ?? '') : facts.join('\n');
}

/** The start of a system file. `/proc/cpuinfo` has a page for each of maybe hundreds of cores, all alike. */
function readHead(path: string): string | undefined {
  const buffer = Buffer.alloc(16_384);
  try {
    const fd = openSync(path, 'r');
    try {
      return buffer.toString('latin1', 0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function listing(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
