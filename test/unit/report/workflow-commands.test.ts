import {describe, expect, test} from 'vitest';
import {failure} from '../../../src/core/failure.ts';
import {annotationsOf, annotationText, groupText} from '../../../src/report/workflow-commands.ts';

describe('annotations', () => {
  test('properties and text are escaped each in its way', () => {
    expect(
      annotationText({
        level: 'error',
        title: 'a[x=1,y=2]: 50%\r\n',
        message: '50%: a, b\nsecond\r\nline',
        range: {file: 'a b,c:d.yaml', line: 3, column: 5, endLine: 3, endColumn: 9},
      }),
    ).toBe(
      '::error file=a b%2Cc%3Ad.yaml,line=3,col=5,endLine=3,endColumn=9,title=a[x=1%2Cy=2]%3A 50%25%0D%0A::50%25: a, b%0Asecond%0Aline\n',
    );
  });

  test('columns are left out when the place has several lines', () => {
    const range = {file: 'p', line: 3, column: 5, endLine: 7, endColumn: 9};
    expect(annotationText({level: 'warning', title: 't', message: 'm', range})).toBe(
      '::warning file=p,line=3,endLine=7,title=t::m\n',
    );
  });

  test('a place that is not in the repository is told in the text', () => {
    const range = {file: 'mixdown/stages/x.ts', line: 4, column: 1};
    const problem = failure('stage-compile-error', 'x', {
      diagnostics: [{code: 'stage-compile-error', message: 'no', hint: 'h', range}],
    });
    expect(annotationsOf(problem, 'error', () => undefined)).toEqual([
      {level: 'error', title: 'stage-compile-error', message: 'mixdown/stages/x.ts:4: no\nhint: h'},
    ]);
    expect(annotationsOf(problem, 'error', (each) => each)[0]).toMatchObject({message: 'no\nhint: h', range});
  });
});

test('what a job printed is no command to the runner', () => {
  expect(groupText('log of a\n::error::', ['::set-output name=x::y', '\u001b[1mbold'], 'token')).toBe(
    '::group::log of a%0A::error::\n::stop-commands::token\n::set-output name=x::y\nbold\n::token::\n::endgroup::\n',
  );
});
