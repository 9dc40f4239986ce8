import {describe, expect, it} from 'vitest';
import {endFailure, isOrdinaryReason, parseQueue, verdictOn} from '../../../../src/exec/slurm/queue.ts';

/** Printed by slurm-wlm 22.05.8: `squeue --noheader --array --states=all --format='%A|%F|%K|%T|%r|%k'`. */
const recorded = `2|1|0|COMPLETED|None|mixdown:abc
1|1|1|COMPLETED|None|mixdown:abc
3|3|N/A|FAILED|NonZeroExitCode|mixdown:fail
7|7|N/A|FAILED|BadConstraints|(null)
5|5|1|PENDING|Resources|mixdown:arr
6|6|N/A|PENDING|PartitionConfig|(null)
9|5|0|RUNNING|None|mixdown:arr
4|4|N/A|CANCELLED|None|a|b
`;

describe('parseQueue', () => {
  it('reads jobs, and tasks of arrays under the number of the array', () => {
    const queue = parseQueue(recorded);
    expect([...queue.keys()]).toEqual(['1_0', '1_1', '3', '7', '5_1', '6', '5_0', '4']);
    expect(queue.get('5_0')).toEqual({id: '5_0', state: 'RUNNING', reason: 'None', comment: 'mixdown:arr'});
    expect(queue.get('3')).toEqual({id: '3', state: 'FAILED', reason: 'NonZeroExitCode', comment: 'mixdown:fail'});
    expect(queue.get('4')?.comment).toBe('a|b');
  });

  it('reads nothing from nothing, nor from lines of another kind', () => {
    expect(parseQueue('').size).toBe(0);
    expect(parseQueue('slurm_load_jobs error\n').size).toBe(0);
  });
});

describe('verdictOn', () => {
  it.each([
    ['PENDING', 'waits'],
    ['REQUEUED', 'waits'],
    ['RUNNING', 'runs'],
    ['COMPLETING', 'runs'],
    ['NODE_FAIL', 'lost'],
    ['PREEMPTED', 'lost'],
    ['COMPLETED', 'over'],
    ['TIMEOUT', 'over'],
    ['SOMETHING_NEW', 'over'],
    [undefined, 'over'],
  ])('%s: %s', (state, verdict) => {
    expect(verdictOn(state)).toBe(verdict);
  });
});

it('tells reasons that do not pass by themselves from those that do', () => {
  expect(['None', 'Priority', 'Resources', ''].every(isOrdinaryReason)).toBe(true);
  expect(['PartitionConfig', 'QOSMaxJobsPerUserLimit', 'launch failed requeued held'].some(isOrdinaryReason)).toBe(
    false,
  );
});

describe('endFailure', () => {
  const entry = (state: string, reason = 'None') => ({id: '5_1', state, reason, comment: ''});

  it.each([
    ['TIMEOUT', 'timed-out'],
    ['DEADLINE', 'timed-out'],
    ['OUT_OF_MEMORY', 'out-of-memory'],
    ['CANCELLED', 'job-cancelled'],
    ['FAILED', 'worker-crashed'],
  ])('%s is %s', (state, code) => {
    expect(endFailure('5_1', entry(state), [], 'see to it')).toMatchObject({code, hint: expect.any(String)});
  });

  it.each([
    'slurmstepd-n1: error: StepId=1.batch exceeded memory limit (215744512 > 104857600), being killed',
    'slurmstepd: error: Exceeded job memory limit',
    'slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7.batch. Some of your processes may have been killed by the cgroup out-of-memory handler.',
  ])('knows a job that took too much memory by its output: %s', (line) => {
    expect(
      endFailure('5', entry('FAILED', 'JobLaunchFailure'), ['exit code 0:9', `last lines:\n  ${line}`], ''),
    ).toMatchObject({
      code: 'out-of-memory',
    });
    expect(endFailure('5', entry('FAILED'), [`last lines:\n  ${line.replace(/^slurmstepd/, 'I')}`], '').code).toBe(
      'worker-crashed',
    );
  });

  it('says what is known', () => {
    expect(endFailure('5_1', entry('FAILED', 'NonZeroExitCode'), ['exit code 127:0'], '').message).toBe(
      'Slurm job 5_1 ended as FAILED (NonZeroExitCode) and left no result; exit code 127:0',
    );
    expect(endFailure('5', undefined, [], '').message).toBe(
      'Slurm job 5 is not in the queue any more and left no result',
    );
  });
});
