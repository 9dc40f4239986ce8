import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {readShifts, shiftName, writeShifts} from '../../../../../stages/lib/experiment/shifts.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

test('shifts are read as they were written', () => {
  const path = join(temporaryFolder(), 'a.json');
  const shifts = [-12, 5].map((semitones) => ({name: shiftName(semitones), semitones}));
  writeShifts(path, shifts);
  expect(readFileSync(path, 'utf8')).toBe(
    '{"type":"shifts/1","copies":[{"name":"pitch-12","semitones":-12},{"name":"pitch+05","semitones":5}]}\n',
  );
  expect(readShifts(path)).toEqual(shifts);
});

test.each([
  ['no JSON', '{', 'not JSON'],
  ['another type', '{"type":"shifts/2","copies":[]}', 'not of type shifts/1'],
  ['a name of another shift', '{"type":"shifts/1","copies":[{"name":"pitch+05","semitones":6}]}', 'hold `'],
  ['a name that leads out of the folder', '{"type":"shifts/1","copies":[{"name":"../x","semitones":6}]}', 'hold `'],
  ['no shift', '{"type":"shifts/1","copies":[{"name":"pitch+00","semitones":0}]}', 'hold `'],
  [
    'one twice',
    '{"type":"shifts/1","copies":[{"name":"pitch+05","semitones":5},{"name":"pitch+05","semitones":5}]}',
    'hold pitch+05 twice',
  ],
])('%s is refused', (_, text, message) => {
  const path = join(temporaryFolder(), 'a.json');
  writeFileSync(path, text);
  expect(() => readShifts(path)).toThrow(message);
});
