import {spawn, type ChildProcess} from 'node:child_process';

/**
 * Ends process groups when this process dies, even by SIGKILL, and even while their members compute without ever
 * looking at a channel: a shell waits for the end of its standard input, which the kernel closes with us.
 */
export interface Guardian {
  watch(group: number): void;
  /** The group is gone; its number may be given to somebody else from now on. */
  release(group: number): void;
  close(): void;
}

/** Reads `+ GROUP` and `- GROUP` lines; at the end of input kills the groups that are left. */
const script = `
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

/** Starts the shell with the first group. Where there is no /bin/sh, workers still end when their channel closes. */
export function createGuardian(): Guardian {
  let shell: ChildProcess | undefined;
  const tell = (line: string): void => {
    shell ??= startShell();
    shell.stdin?.write(line);
  };
  return {
    watch: (group) => tell(`+ ${group}\n`),
    release: (group) => tell(`- ${group}\n`),
    close() {
      shell?.stdin?.end();
      shell = undefined;
    },
  };
}

function startShell(): ChildProcess {
  // A group of its own, so that an interrupt from the terminal does not reach it.
  const shell = spawn('/bin/sh', ['-c', script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    cwd: '/',
  });
  shell.on('error', () => {});
  shell.stdin?.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as {unref?(): void} | null)?.unref?.();
  return shell;
}
