import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {hostname, tmpdir, userInfo} from 'node:os';
import {delimiter, join} from 'node:path';

/** Debian puts daemons where an ordinary user's PATH does not lead. */
const searchPath = [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin'].join(delimiter);

/** Whether Slurm and munge are installed here (Debian: `slurm-wlm` and `munge`). */
export function hasSlurm(): boolean {
  const folders = searchPath.split(delimiter);
  return ['slurmctld', 'slurmd', 'munged', 'sbatch'].every((program) =>
    folders.some((folder) => existsSync(join(folder, program))),
  );
}

export type HostName = 'n1' | 'n2' | 'n3' | 'n4' | 'n5' | 'n6';

/** Four GPUs, played by devices that every machine has. */
const gpuFiles: Readonly<Record<HostName, readonly string[]>> = {
  n1: ['/dev/null', '/dev/zero'],
  n2: ['/dev/full', '/dev/random'],
  n3: [],
  n4: [],
  n5: [],
  n6: [],
};
const hostNames = Object.keys(gpuFiles) as readonly HostName[];

/**
 * A real cluster on this machine: one controller and six compute nodes of four cores each, on loopback, in a temporary
 * folder, under the user that calls, with a munge daemon of its own. Its partitions: `batch`, the default one, of n1 and n2
 * with two GPUs each; `frail` of n3 and n4, for hosts that die; `low` of n5 and `lowest` of n6, whose jobs make room for those of `high`: they are
 * queued again, or cancelled.
 */
export class SlurmCluster {
  readonly folder: string;
  /** What programs of Slurm need to find this cluster. */
  readonly env: Readonly<Record<string, string>>;
  readonly #daemons = new Map<string, ChildProcess>();

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'mixdown-slurm-'));
    this.env = {SLURM_CONF: join(this.folder, 'slurm.conf')};
  }

  static async start(): Promise<SlurmCluster> {
    const cluster = new SlurmCluster();
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const {folder} = this;
    writeFileSync(join(folder, 'munge.key-file'), randomBytes(1024), {mode: 0o400});
    writeFileSync(this.env['SLURM_CONF']!, configuration(folder, await freePorts()));
    const gres = Object.entries(gpuFiles).flatMap(([host, files]) =>
      files.map((file) => `NodeName=${host} Name=gpu File=${file}\n`),
    );
    writeFileSync(join(folder, 'gres.conf'), `AutoDetect=off\n${gres.join('')}`);
    const files = ['socket', 'key-file', 'pid-file', 'log-file', 'seed-file'];
    this.#daemon('munged', 'munged', [
      '--foreground',
      '--force',
      ...files.map((file) => `--${file}=${folder}/munge.${file}`),
    ]);
    await until('munge', () => existsSync(join(folder, 'munge.socket')));
    this.#daemon('slurmctld', 'slurmctld', ['-D', '-i']);
    await until('the controller', () => this.#states() !== undefined);
    for (const name of hostNames) this.startHost(name);
    await Promise.all(hostNames.map(async (name) => this.hostIs(name, 'idle')));
  }

  /** Runs a program of Slurm and returns what it prints. */
  call(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, {env: {...process.env, ...this.env}, encoding: 'utf8', stdio: 'pipe'});
  }

  /** All jobs and array tasks, also those that ended. */
  jobs(): readonly ClusterJob[] {
    const lines = this.call('squeue', '--noheader', '--array', '--states=all', '--format=%i|%T|%N|%k').split('\n');
    return lines.flatMap((line) => {
      const [id, state = '', host = '', comment = ''] = line.split('|');
      return id === undefined || id === '' ? [] : [{id, state, host, comment}];
    });
  }

  /** Waits for a moment in the life of the cluster. */
  async whenJobs<T>(what: string, look: (jobs: readonly ClusterJob[]) => T | undefined): Promise<T> {
    let found: T | undefined;
    await until(what, () => (found = look(this.jobs())) !== undefined);
    return found!;
  }

  /** Waits for the state of a host. */
  async hostIs(name: HostName, state: string): Promise<void> {
    await until(`${name} ${state}`, () => this.#states()?.get(name) === state);
  }

  startHost(name: HostName): void {
    this.#daemon(name, 'slurmd', ['-D', '-N', name]);
  }

  /** The host dies, with everything that runs on it. */
  killHost(name: HostName): void {
    this.#daemons.get(name)?.kill('SIGKILL');
    for (const {pid, parent} of this.#processes(`SLURMD_NODENAME=${name}`)) {
      // The parent of what a job runs is Slurm's own process for the job.
      kill(parent);
      kill(pid);
    }
  }

  async stop(): Promise<void> {
    const ends = [...this.#daemons.values()].map(
      (daemon) =>
        new Promise<void>((resolve) => {
          if (daemon.exitCode === null && daemon.signalCode === null) daemon.once('exit', () => resolve());
          else resolve();
          daemon.kill('SIGKILL');
        }),
    );
    await Promise.all(ends);
    // Slurm's own processes for jobs, which outlive the daemons, start others yet.
    await until('the end of the cluster', () => {
      const left = this.#processes('SLURM_CONF=');
      for (const {pid} of left) kill(pid);
      return left.length === 0;
    });
    rmSync(this.folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  }

  #daemon(name: string, program: string, args: readonly string[]): void {
    const daemon = spawn(program, args, {env: {...process.env, ...this.env, PATH: searchPath}, stdio: 'ignore'});
    this.#daemons.set(name, daemon);
  }

  #states(): ReadonlyMap<string, string> | undefined {
    try {
      const lines = this.call('sinfo', '--noheader', '--Node', '--format=%N %T').trim().split('\n');
      return new Map(lines.map((line) => line.split(' ') as [string, string]));
    } catch {
      return undefined;
    }
  }

  /** Processes of this cluster's jobs that still have Slurm's variables, and one that starts so. */
  #processes(variable: string): readonly {readonly pid: number; readonly parent: number}[] {
    return readdirSync('/proc').flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        const ours = environment.includes(`SLURM_CONF=${this.env['SLURM_CONF']}`);
        if (!ours || !environment.some((line) => line.startsWith(variable))) return [];
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return [{pid: Number(name), parent: Number(fields[1])}];
      } catch {
        return [];
      }
    });
  }
}

export interface ClusterJob {
  /** `12`, or `12_3` for a task of an array. */
  readonly id: string;
  readonly state: string;
  readonly host: string;
  readonly comment: string;
}

function configuration(folder: string, [controller = 0, ...hosts]: readonly number[]): string {
  const user = userInfo().username;
  const machine = hostname();
  const nodes = Object.entries(gpuFiles).map(
    ([name, files], index) =>
      `NodeName=${name} NodeHostname=${machine} NodeAddr=127.0.0.1 Port=${hosts[index]} CPUs=4 RealMemory=4000` +
      (files.length === 0 ? '' : ` Gres=gpu:${files.length}`),
  );
  return `ClusterName=mixdown
SlurmctldHost=${machine}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=${user}
SlurmdUser=${user}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket,cred_expire=20
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=900
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
ReturnToService=2
SlurmdTimeout=5
KillWait=2
MaxArraySize=101
GresTypes=gpu
${nodes.join('\n')}
PartitionName=batch Nodes=n1,n2 Default=YES MaxTime=INFINITE
PartitionName=frail Nodes=n3,n4 MaxTime=INFINITE
PartitionName=low Nodes=n5 PriorityTier=1 MaxTime=INFINITE
PartitionName=lowest Nodes=n6 PriorityTier=1 PreemptMode=CANCEL MaxTime=INFINITE
PartitionName=high Nodes=n5,n6 PriorityTier=2 MaxTime=INFINITE
`;
}

/** Ports that nobody listens on just now. */
async function freePorts(): Promise<readonly number[]> {
  const servers = await Promise.all(
    ['controller', ...hostNames].map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const patienceMs = 120_000;

/** Slurm tells nobody when something happens in it: one has to look. */
async function until(what: string, test: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!test()) {
    if (performance.now() > end) throw new Error(`${what}: not so after ${patienceMs / 1000} s`);
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
}

function kill(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
