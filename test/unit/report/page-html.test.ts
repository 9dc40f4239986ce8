import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import type {PageData, PageResult} from '../../../src/report/page-data.ts';
import {pageHtml} from '../../../src/report/page-html.ts';

const hostile = '</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> \u2028 "\'&';
const assets = {script: 'document.title = "</script>";', style: 'b::after{content:"</style>"}'};

const run: PageData['run'] = {
  id: '20260101-000000-abcd',
  command: hostile,
  outcome: 'failed',
  startedAt: '2026-01-01T00:00:00.000Z',
  wallMs: 1400,
  counts: {'up-to-date': 0, cached: 0, executed: 2, failed: 1, blocked: 0, cancelled: 0},
  targets: ['a'],
  seed: 0,
  jobs: 2,
  host: 'h',
  environment: [],
  savedMs: 0,
};

const place = {node: 'a', output: 'o', file: 'f', title: hostile};
const results: readonly PageResult[] = [
  {...place, kind: 'markdown', text: hostile},
  {...place, kind: 'table', columns: [hostile, 'n'], rows: [[hostile, '1']], more: 2},
  {...place, kind: 'bars', unit: 'ap', bars: [{name: hostile, value: 0.5}]},
  {...place, kind: 'confusion', classes: ['cat'], counts: [[3]]},
  {...place, kind: 'text', text: hostile, more: 0},
  {...place, kind: 'image', src: 'data:image/png;base64,AA==', alt: hostile},
];

const data: PageData = {
  type: 'page/1',
  project: hostile,
  run,
  nodes: [
    {
      id: 'a',
      name: 'a',
      axes: {},
      stage: 's',
      outcome: 'failed',
      reasons: [],
      params: {},
      metrics: {},
      inputs: [],
      outputs: [],
      failure: {code: 'stage-failed', message: hostile},
    },
  ],
  groups: [],
  sources: [],
  stages: [],
  results,
  timeline: {endMs: 0, lanes: [], criticalPath: []},
};

function scriptsOf(html: string): readonly string[] {
  return [...html.matchAll(/<script(?: [^>]*)?>([^]*?)<\/script/g)].map(([, code = '']) => code);
}

describe('pageHtml', () => {
  const html = pageHtml(data, assets);

  test('holds the data and the script, and nothing in them ends or opens an element', () => {
    const [json = '', code = '', ...others] = scriptsOf(html);
    expect(others).toEqual([]);
    expect(JSON.parse(json)).toEqual(data);
    expect(json).not.toMatch(/[<\u2028]/);
    expect(code).toBe('document.title = "<\\/script>";');
    expect(html.match(/<\/style/g)).toHaveLength(1);
    expect(html).not.toMatch(/<img|<script>alert|<!--/);
  });

  test('lets no script run but its own, and nothing be fetched', () => {
    const [policy = ''] = /(?<=http-equiv="Content-Security-Policy" content=")[^"]*/.exec(html) ?? [];
    const hash = createHash('sha256').update(scriptsOf(html)[1]!).digest('base64');
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      'img-src data:',
      "style-src 'unsafe-inline'",
      `script-src 'sha256-${hash}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(html.replaceAll(hash, '')).not.toMatch(/https?:/);
  });

  test('tells the outcome and the results without a script', () => {
    const [plain = ''] = /(?<=<noscript>\n)[^]*(?=<\/noscript>)/.exec(html) ?? [];
    expect(plain).toContain('<p>failed, 2 executed, 1 failed, 1.4 s.');
    expect(plain).toContain('<h2>a failed</h2>');
    expect(plain.match(/<table>/g)).toHaveLength(3);
    expect(plain).toContain('<tr><td>cat</td><td>3</td></tr>');
    expect(plain).toContain('<p>2 more rows</p>');
    expect(plain).toContain('<p>2 more results in pictures and tables, which need JavaScript.</p>');
  });

  test('does not say everything twice when there is much', () => {
    const text = 'x'.repeat(200_000);
    const many: PageData = {...data, results: Array.from({length: 9}, () => ({...place, kind: 'markdown', text}))};
    expect(pageHtml(many, assets).length).toBeLessThan(9 * 200_000 + 320_000);
  });
});
