import {copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import type {Browser, BrowserContextOptions, Page} from 'playwright-core';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {SECTIONS} from '../../src/page/model/route.ts';
import type {PageData} from '../../src/report/page-data.ts';
import {pageHtml} from '../../src/report/page-html.ts';
import {findBrowser, startBrowser} from '../support/browser.ts';
import {HOSTILE, largePageData, pageData} from '../support/page-data.ts';
import {toyProject, Workspace} from '../support/workspace.ts';
import {complaintsOf} from './complaints.ts';

const executable = findBrowser();
const folder = mkdtempSync(join(tmpdir(), 'mixdown-page-'));
const DESK = {viewport: {width: 1280, height: 900}};
const PHONE = {viewport: {width: 360, height: 780}, isMobile: true, hasTouch: true};

describe.skipIf(executable === undefined)('the page of a run, in a browser', () => {
  let browser: Browser;
  /** What the open page complained of, and what it asked of a network. */
  let trouble: string[] = [];

  beforeAll(async () => {
    writePage('small', pageData());
    writePage('large', largePageData(10_000));
    browser = await startBrowser(executable ?? '');
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    const seen = trouble;
    trouble = [];
    if (seen.length > 0) throw new Error(seen.join('\n'));
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, {recursive: true});
  });

  async function open(hash = '', options: BrowserContextOptions = DESK, name = 'small'): Promise<Page> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on('console', (message) => trouble.push(`console: ${message.text()}`));
    page.on('pageerror', ({message}) => trouble.push(`error: ${message}`));
    page.on('request', (request) => {
      if (!/^(?:file|data):/.test(request.url())) trouble.push(`request: ${request.url()}`);
    });
    await page.goto(`${pathToFileURL(join(folder, `${name}.html`)).href}${hash}`);
    await page.locator('h2').first().waitFor();
    return page;
  }

  describe.each([
    ['light', DESK],
    ['dark', DESK],
    ['light', PHONE],
  ] as const)('in the %s theme, %j', (colorScheme, size) => {
    it.each(SECTIONS)('shows the section %s to everyone, no wider than the window', async (section) => {
      const page = await open(`#section=${section}&output=tables.markdown`, {...size, colorScheme});
      expect(await page.evaluate(complaintsOf)).toEqual([]);
      expect(await widerBy(page)).toBe(0);
      expect(await page.locator('nav [aria-current=page]').count()).toBe(1);
    });

    it('shows a node to everyone', async () => {
      const page = await open('#section=nodes&node=train[fold=1,levels=h1%2Bh2]', {...size, colorScheme});
      expect(await page.evaluate(complaintsOf)).toEqual([]);
      expect(await widerBy(page)).toBe(0);
      expect(await page.locator('dialog').innerText()).toContain('Lower the learning rate.');
    });
  });

  it('shows every text as text', async () => {
    for (const section of SECTIONS) {
      const page = await open(`#section=${section}`);
      expect(await page.locator('main img[onerror], main script').count()).toBe(0);
      expect(await page.title()).toContain('sounds: run');
    }
    const page = await open();
    expect(await page.locator('main').innerText()).toContain(HOSTILE);
  });

  it('goes from section to section, and back', async () => {
    const page = await open();
    await page.getByRole('link', {name: 'Metrics', exact: true}).click();
    await page.getByRole('heading', {level: 2, name: 'Metrics'}).waitFor();
    await page.getByRole('link', {name: 'Environment'}).press('Enter');
    await page.getByRole('heading', {level: 2, name: 'Environment'}).waitFor();
    await page.goBack();
    await page.getByRole('heading', {level: 2, name: 'Metrics'}).waitFor();
    await page.goBack();
    await page.getByRole('heading', {level: 2, name: 'Results'}).waitFor();
    expect(await page.locator('nav [aria-current=page]').innerText()).toBe('Results');
    await page.waitForFunction(() => document.title.startsWith('Results · sounds: run '));
  });

  it('reaches the content by the keyboard, and shows where the focus is', async () => {
    const page = await open('#section=nodes');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    for (let step = 0; step < 24; step++) {
      const {width, style} = await page.evaluate(() => {
        const {outlineWidth, outlineStyle} = getComputedStyle(document.activeElement ?? document.body);
        return {width: Number.parseFloat(outlineWidth), style: outlineStyle};
      });
      expect([style, width >= 2]).toEqual(['solid', true]);
      await page.keyboard.press('Tab');
    }
    const again = await open('#section=nodes');
    await again.keyboard.press('Tab');
    await again.keyboard.press('Enter');
    expect(await again.evaluate(() => document.activeElement?.id)).toBe('main');
    expect(again.url()).toMatch(/#section=nodes$/);
  });

  it('sorts a table by click and by key, and says so', async () => {
    const page = await open();
    const table = page.getByRole('table', {name: 'Scores'});
    const names = async (): Promise<readonly string[]> => table.locator('tbody th').allInnerTexts();
    expect(await names()).toEqual(['fold 2', 'fold 10', 'fold 1']);
    expect(await table.locator('tbody td:nth-child(2)').allInnerTexts()).toEqual(['0.61 ± 0.02', '0.5000', '0.7123']);
    await table.getByRole('button', {name: 'score'}).click();
    expect(await names()).toEqual(['fold 1', 'fold 2', 'fold 10']);
    expect(await table.locator('th[aria-sort=descending]').innerText()).toContain('score');
    await table.getByRole('button', {name: 'name'}).press('Enter');
    expect(await names()).toEqual(['fold 1', 'fold 2', 'fold 10']);
    await table.getByRole('button', {name: 'name'}).press('Space');
    expect(await names()).toEqual(['fold 10', 'fold 2', 'fold 1']);
  });

  it('filters nodes, keeps the filter in the address, and finds it there again', async () => {
    const page = await open('#section=nodes');
    await page.getByRole('searchbox', {name: 'Filter'}).fill('gpu 0');
    await page.getByRole('button', {name: 'executed'}).click();
    const rows = page.locator('main tbody tr');
    expect(await rows.count()).toBe(2);
    expect(await page.getByRole('status').first().innerText()).toBe('2 nodes of 8');
    const again = await open(new URL(page.url()).hash);
    expect(await again.getByRole('searchbox', {name: 'Filter'}).inputValue()).toBe('gpu 0');
    expect(await again.locator('main tbody tr').count()).toBe(2);
  });

  it('shows failures first, with what to do and the end of the log', async () => {
    const page = await open();
    await page.getByRole('link', {name: /1 failed/}).click();
    const failure = page.locator('.failure').first();
    await failure.waitFor();
    expect(await failure.innerText()).toMatch(/not a number[^]*Lower the learning rate\.[^]*epoch 2 loss NaN/);
  });

  it('opens a node from the graph by mouse, and closes it by Escape', async () => {
    const page = await open('#section=graph');
    await page.getByRole('button', {name: /^train/}).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('link', {name: 'fold 10, levels h1'}).click();
    await dialog.getByRole('heading', {name: 'train[fold=10,levels=h1]'}).waitFor();
    await page.goBack();
    await dialog.getByRole('heading', {name: 'train', exact: true}).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({state: 'detached'});
    expect(new URL(page.url()).hash).toBe('#section=graph');
  });

  it('opens a node from the graph by keyboard, and gives the focus back', async () => {
    const page = await open('#section=graph');
    await page.getByRole('button', {name: /^tables/}).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('link', {name: 'tables'}).press('Enter');
    await dialog.getByText('param digits: 2 became 3').waitFor();
    await dialog.getByRole('button', {name: 'Close'}).press('Enter');
    await dialog.waitFor({state: 'detached'});
    expect(await focused(page)).toMatch(/^tables/);
  });

  it('zooms the graph and lists it', async () => {
    const page = await open('#section=graph');
    const width = async (): Promise<number> => page.locator('.graph-space').evaluate(({clientWidth}) => clientWidth);
    const before = await width();
    await page.getByRole('button', {name: 'Larger'}).click();
    expect(await width()).toBeGreaterThan(before);
    await page.getByRole('button', {name: 'List'}).click();
    expect(await page.locator('.graph-list li').count()).toBe(4);
    expect(new URL(page.url()).hash).toContain('graphView=list');
  });

  it('changes the theme, with the colours of a curve', async () => {
    const page = await open('', {...DESK, colorScheme: 'light'});
    const look = async (): Promise<readonly unknown[]> => [
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      await page.locator('.plot canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()),
    ];
    const [lightBack, lightPlot] = await look();
    await page.getByRole('button', {name: 'Dark theme'}).click();
    const [darkBack, darkPlot] = await look();
    expect(darkBack).not.toBe(lightBack);
    expect(darkPlot).not.toBe(lightPlot);
    await page.reload();
    expect(await page.getByRole('button', {name: 'Light theme'}).count()).toBe(1);
  });

  it('chooses among curves, draws them on a logarithmic axis, and gives the values as a table', async () => {
    const page = await open();
    const card = page.getByRole('article', {name: 'train: curve'});
    const plot = card.getByRole('img');
    expect(await plot.getAttribute('aria-label')).toContain('loss: from 2.5000 to 0.5000');
    await card.getByLabel('Variant').selectOption('fold 2, levels h1');
    expect(await plot.getAttribute('aria-label')).toContain('loss: from 2.5000 to 0.2500');
    await card.getByRole('button', {name: 'Log'}).click();
    await card.getByRole('button', {name: 'step'}).click();
    expect(await card.getByRole('button', {pressed: true}).allInnerTexts()).toEqual([
      'loss',
      'validation',
      'step',
      'Log',
    ]);
    await card.getByText('Values as a table').click();
    await card.locator('tbody').waitFor();
    expect(await card.locator('tbody tr').count()).toBe(4);
  });

  it('shows shares of a confusion matrix, and orders bars', async () => {
    const page = await open();
    const matrix = page.getByRole('article', {name: 'Confusion'});
    expect(await matrix.locator('tbody tr').nth(1).locator('td').allInnerTexts()).toEqual(['2', '5', '3']);
    await matrix.getByRole('button', {name: '% of the true class'}).click();
    expect(await matrix.locator('tbody tr').nth(1).locator('td').allInnerTexts()).toEqual(['20', '50', '30']);
    const bars = page.getByRole('article', {name: 'Average precision by class'});
    expect(await bars.locator('tbody th').allInnerTexts()).toEqual(['bark', HOSTILE, 'meow']);
    await bars.getByRole('button', {name: 'Lowest first'}).click();
    expect(await bars.locator('tbody th').allInnerTexts()).toEqual(['meow', HOSTILE, 'bark']);
  });

  it('walks the timeline by keys, and opens a node from it', async () => {
    const page = await open('#section=timeline');
    await page.locator('.span[tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.span-details').innerText()).toContain(
      'train[fold=1,levels=h1]: executed on cpu, lane 1',
    );
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.span-details').innerText()).toContain('train[fold=2,levels=h1]: executed on gpu 0');
    expect(await page.locator('.span[tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('heading', {name: 'train[fold=2,levels=h1]'}).waitFor();
  });

  it('marks and lists the critical path', async () => {
    const page = await open('#section=timeline');
    expect(await page.locator('.span.critical').count()).toBe(3);
    expect(await page.locator('.critical-path li').allInnerTexts()).toEqual([
      expect.stringContaining('20 s on cpu, lane 1, 31 % of the run'),
      expect.stringContaining('21 s on gpu 0, 32 % of the run'),
      expect.stringContaining('20 s on cpu, lane 1, 31 % of the run'),
    ]);
  });

  it('follows an output down to a source and to code, and copies the chain', async () => {
    const page = await open('#section=provenance');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('searchbox', {name: 'Output'}).fill('results.md');
    await page.getByRole('link', {name: /^tables\.markdown/}).click();
    await page.locator('.step').first().waitFor();
    expect(await page.locator('.step h4').allInnerTexts()).toEqual([
      'node tables',
      '3 nodes train',
      'node features',
      'source labels',
      'source clips',
    ]);
    await page.getByText('Code of stage log-mel').click();
    await page.getByText('stages/log-mel.ts').waitFor();
    await page.getByRole('button', {name: 'Copy the chain as text'}).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate(async () => navigator.clipboard.readText());
    expect(copied).toContain(`clips data/clips ${'01'.repeat(32)}`);
    expect(copied).toContain('stages/lib/formats/npy.ts');
  });

  it('says how metrics moved, and shows only those that did', async () => {
    const page = await open('#section=metrics');
    await page.getByLabel('only what changed').check();
    expect(await page.locator('main h3').allInnerTexts()).toEqual(['train']);
    expect(await page.locator('.change').allInnerTexts()).toEqual(['▲ up 0.0100', '▼ down 0.0800', '+ new']);
    await page.getByRole('combobox', {name: 'Nodes'}).selectOption('tables');
    await page.getByText('No metrics match.').waitFor();
  });

  it('says so when the address names what the run has not', async () => {
    const page = await open('#section=provenance&output=gone.file&node=gone');
    await page.getByRole('dialog').waitFor();
    expect(await page.getByRole('dialog').innerText()).toContain('This run has no node of this name.');
    expect(await page.locator('main').innerText()).toContain('This run has no output gone.file.');
  });

  it('prints every section in light colours, with nothing that only a screen needs', async () => {
    const page = await open('', {...DESK, colorScheme: 'dark'});
    const back = async (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const plot = async (): Promise<string> =>
      page.locator('.plot canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const [dark, darkPlot] = [await back(), await plot()];
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await back()).not.toBe(dark);
    expect(await plot()).not.toBe(darkPlot);
    expect(await page.locator('main h2').count()).toBe(SECTIONS.length);
    await page.emulateMedia({media: 'print'});
    expect(await page.locator('nav').isVisible()).toBe(false);
    await page.emulateMedia({media: 'screen'});
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    expect([await page.locator('main h2').count(), await back(), await plot()]).toEqual([1, dark, darkPlot]);
  });

  it.each(SECTIONS)('stays usable with ten thousand nodes: %s', async (section) => {
    const page = await open(`#section=${section}&output=tables.markdown`, DESK, 'large');
    await page.getByRole('heading', {level: 2}).first().waitFor();
    expect(await page.locator('main tr').count()).toBeLessThanOrEqual(160);
    expect(await page.locator('main li').count()).toBeLessThanOrEqual(260);
  });

  it('opens what mixdown report writes', async () => {
    const workspace = new Workspace(toyProject);
    try {
      await workspace.run('run', '--quiet');
      expect(await workspace.run('report', '-o', 'real.html')).toMatchObject({code: 0});
      copyFileSync(workspace.path('real.html'), join(folder, 'real.html'));
    } finally {
      workspace.dispose();
    }
    for (const section of SECTIONS) {
      const page = await open(`#section=${section}&output=report.report`, DESK, 'real');
      expect([section, await page.evaluate(complaintsOf)]).toEqual([section, []]);
    }
    const page = await open('#section=provenance&output=report.report', DESK, 'real');
    expect(await page.locator('.step h4').allInnerTexts()).toEqual([
      'node report',
      '2 nodes scaled',
      'node totals',
      'node counts',
      'source notes',
    ]);
  });

  it('drags the graph under a mouse', async () => {
    const page = await open('#section=graph', {viewport: {width: 700, height: 600}});
    for (let step = 0; step < 2; step++) await page.getByRole('button', {name: 'Larger'}).click();
    const frame = page.locator('.graph-frame');
    await frame.scrollIntoViewIfNeeded();
    const box = await frame.boundingBox();
    const [x, y] = [(box?.x ?? 0) + 10, (box?.y ?? 0) + 200];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x - 5, y - 150, {steps: 3});
    await page.mouse.up();
    expect(await frame.evaluate(({scrollTop}) => scrollTop)).toBeGreaterThan(100);
  });

  it('shows more of a long list when asked', async () => {
    const page = await open('#section=nodes', DESK, 'large');
    expect(await page.locator('main tbody tr').count()).toBe(100);
    await page.getByRole('button', {name: /^Show 200 more/}).click();
    expect(await page.locator('main tbody tr').count()).toBe(300);
    await page.getByRole('searchbox', {name: 'Filter'}).fill('levels=h7]');
    expect(await page.getByRole('status').first().innerText()).toBe('50 nodes of 10000');
  });
});

function writePage(name: string, data: PageData): void {
  const html = pageHtml(data, {
    script: readFileSync('dist/page/page.js', 'utf8'),
    style: readFileSync('dist/page/page.css', 'utf8'),
  });
  writeFileSync(join(folder, `${name}.html`), html);
}

async function widerBy(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

async function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent?.trim().slice(0, 40) ?? '');
}
