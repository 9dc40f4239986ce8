import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createSlurmClient} from '../../../../src/exec/slurm/client.ts';

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'mixdown-bin-'));
});
afterEach(() => rmSync(bin, {recursive: true, force: true}));

/** A program that says what Slurm's was heard to say. */
function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}
const client = () => createSlurmClient({PATH: `${bin}:/bin:/usr/bin`, BIN: bin});

describe('submit', () => {
  it.each([
    ['5', '5'],
    ['5;cluster', '5'],
    ['sbatch: this site asks for short jobs\n17', '17'],
  ])('reads the number from %j', async (said, id) => {
    program('sbatch', `printf '%s\\n' '${said}'`);
    expect(await client().submit([])).toEqual({ok: true, value: id});
  });

  it('tells a refusal in the words of Slurm', async () => {
    program(
      'sbatch',
      `echo 'sbatch: error: invalid partition specified: gold' >&2
echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2
exit 1`,
    );
    expect(await client().submit([])).toMatchObject({
      error: {
        passing: false,
        failure: {
          code: 'job-rejected',
          message:
            'sbatch: invalid partition specified: gold; Batch job submission failed: Invalid partition name specified',
        },
      },
    });
  });

  it.each([
    'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation',
    'sbatch: error: Unable to contact slurm controller (connect failure)',
    'sbatch: error: Batch job submission failed: Slurm temporarily unable to accept job, sleeping and retrying',
  ])('takes it for passing: %s', async (words) => {
    program('sbatch', `echo '${words}' >&2; exit 1`);
    expect(await client().submit([])).toMatchObject({error: {passing: true, failure: {code: 'no-executor'}}});
  });

  it('shows the job no more than finds programs and configures Slurm', async () => {
    program('sbatch', 'env > "$(dirname "$0")/seen"; echo 5');
    const env = {
      PATH: `${bin}:/bin:/usr/bin`,
      TOKEN: 's',
      SLURM_CONF: '/etc/s.conf',
      SBATCH_QOS: 'low',
      TMPDIR: '/home',
    };
    expect(await createSlurmClient(env).submit([])).toEqual({ok: true, value: '5'});
    const seen = readFileSync(join(bin, 'seen'), 'utf8').split('\n');
    expect(seen).toEqual(expect.arrayContaining(['SLURM_CONF=/etc/s.conf', 'SBATCH_QOS=low', 'LC_ALL=C']));
    expect(seen.filter((line) => /^(TOKEN|TMPDIR)=/.test(line))).toEqual([]);
  });

  it('does not take silence for a job', async () => {
    program('sbatch', 'echo done');
    expect(await client().submit([])).toMatchObject({error: {failure: {code: 'job-rejected'}}});
  });

  it('says that a program is missing', async () => {
    expect(await createSlurmClient({PATH: bin}).submit([])).toMatchObject({
      error: {passing: false, failure: {code: 'no-executor', message: 'the program sbatch was not found'}},
    });
  });
});

it('asks for all jobs of this user with one call', async () => {
  program('squeue', `echo "$@" >> "$BIN/calls"; echo '9|5|0|RUNNING|None|mixdown:arr'`);
  const queue = await client().queue();
  expect(queue.ok && queue.value.get('5_0')?.state).toBe('RUNNING');
  expect(readFileSync(join(bin, 'calls'), 'utf8')).toBe(
    `--noheader --array --states=all --user=${process.getuid!()} --format=%A|%F|%K|%T|%r|%k\n`,
  );
});

it('asks for one job, and knows one that is not there from a controller that is not', async () => {
  program('squeue', `echo "$@" >> "$BIN/calls"; echo 'RUNNING|n1'`);
  expect(await client().stateOf('7')).toEqual({ok: true, value: {state: 'RUNNING', host: 'n1'}});
  expect(readFileSync(join(bin, 'calls'), 'utf8')).toBe('--noheader --states=all --jobs=7 --format=%T|%N\n');
  program('squeue', 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1');
  expect(await client().stateOf('7')).toEqual({ok: true, value: undefined});
  program('squeue', 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1');
  expect(await client().stateOf('7')).toMatchObject({ok: false, error: {passing: true}});
});

it('cancels many jobs with few calls', async () => {
  program('scancel', `echo $# >> "$BIN/calls"`);
  expect(
    await client().cancel(
      Array.from({length: 1200}, (_, id) => String(id)),
      'KILL',
    ),
  ).toBeUndefined();
  expect(readFileSync(join(bin, 'calls'), 'utf8')).toBe('503\n503\n203\n');
});

it('reads the largest array and exit codes from scontrol', async () => {
  program(
    'scontrol',
    `case $1 in
  show) printf 'MaxArraySize            = 1001\\nMaxJobCount             = 10000\\n' ;;
  --oneliner) echo 'JobId=3 JobName=wrap JobState=FAILED Reason=NonZeroExitCode BatchFlag=1 ExitCode=3:0 RunTime=00:00:00' ;;
esac`,
  );
  expect(await client().largestArray()).toBe(1001);
  expect(await client().exitCodeOf('3')).toBe('3:0');
  program('scontrol', 'echo slurm_load_jobs error: Invalid job id specified >&2; exit 1');
  expect(await client().largestArray()).toBe(1);
  expect(await client().exitCodeOf('3')).toBeUndefined();
});
