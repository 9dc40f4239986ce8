import type {Gpu} from '../core/resources.ts';

/** A GPU as nvidia-smi lists it. */
export interface ListedGpu extends Gpu {
  /** Instances it is divided into; a divided GPU can only be used through them. */
  readonly instances: readonly Gpu[];
}

/** Arguments of the query whose output `parseQuery` reads. */
export const queryArguments = ['--query-gpu=uuid,index,name,memory.total', '--format=csv,noheader,nounits'];

/** Arguments of the listing whose output `parseInstances` reads. */
export const listArguments = ['-L'];

/**
 * Reads the output of the query: a line a GPU, sizes in MiB. A GPU that shares the machine's memory reports none and is
 * given `sharedMemoryMiB`. Lines that are not GPUs (warnings, error texts) are left out.
 */
export function parseQuery(text: string, sharedMemoryMiB: number): readonly Gpu[] {
  const gpus: Gpu[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(',').map((field) => field.trim());
    const [uuid = '', index = ''] = fields;
    const memory = Number(fields.at(-1));
    if (!uuid.startsWith('GPU-') || !/^\d+$/.test(index)) continue;
    const name = fields.slice(2, -1).join(', ');
    gpus.push({uuid, index: Number(index), name, memoryMiB: memory > 0 ? memory : sharedMemoryMiB});
  }
  return gpus;
}

/**
 * Adds the MIG instances from the output of `nvidia-smi -L`. The memory of an instance is the one in its profile's name
 * (`3g.20gb`): nvidia-smi has no query for it.
 */
export function withInstances(gpus: readonly Gpu[], listing: string): readonly ListedGpu[] {
  const instances = new Map<string, Gpu[]>();
  let parent: Gpu | undefined;
  for (const line of listing.split('\n')) {
    const gpu = /^GPU \d+: .*\(UUID: (GPU-[^)]+)\)/.exec(line);
    if (gpu) parent = gpus.find(({uuid}) => uuid === gpu[1]);
    const [, profile, uuid] = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)/.exec(line) ?? [];
    if (!parent || profile === undefined || uuid === undefined) continue;
    const memoryMiB = Number(/(\d+)gb/.exec(profile)?.[1] ?? 0) * 1024;
    const list = instances.get(parent.uuid) ?? [];
    list.push({uuid, index: parent.index, name: `${parent.name} MIG ${profile}`, memoryMiB});
    instances.set(parent.uuid, list);
  }
  return gpus.map((gpu) => ({...gpu, instances: instances.get(gpu.uuid) ?? []}));
}

/** The devices a program may use one by one: each undivided GPU, and each instance of a divided one. */
export function usableDevices(gpus: readonly ListedGpu[]): readonly Gpu[] {
  const devices = gpus.flatMap(({instances, ...gpu}) => (instances.length > 0 ? instances : [gpu]));
  const divided = gpus.some(({instances}) => instances.length > 0);
  // Instances share their GPU's number, but a device's label has to tell them apart.
  return divided ? devices.map((device, index) => ({...device, index})) : devices;
}

/**
 * Applies an inherited CUDA_VISIBLE_DEVICES as CUDA does: numbers and (beginnings of) UUIDs in the order given, up to
 * the first that does not exist. Empty or -1 means none.
 */
export function visibleDevices(
  gpus: readonly ListedGpu[],
  variable: string | undefined,
): {readonly devices: readonly Gpu[]; readonly unknown?: string} {
  const all = usableDevices(gpus);
  if (variable === undefined) return {devices: all};
  const devices: Gpu[] = [];
  for (const id of variable.split(',').map((part) => part.trim())) {
    if (id === '' || id === '-1') break;
    const device = find(gpus, all, id);
    if (!device) return {devices, unknown: id};
    if (!devices.includes(device)) devices.push(device);
  }
  return {devices};
}

function find(gpus: readonly ListedGpu[], all: readonly Gpu[], id: string): Gpu | undefined {
  const gpu = /^\d+$/.test(id)
    ? gpus.find(({index}) => index === Number(id))
    : gpus.find(({uuid}) => id.startsWith('GPU-') && uuid.startsWith(id));
  // CUDA uses one instance of a divided GPU when it is named as a whole: the first.
  const uuid = gpu ? (gpu.instances[0] ?? gpu).uuid : id;
  return all.find((device) => device.uuid === uuid || (id.startsWith('MIG-') && device.uuid.startsWith(id)));
}
