// Debian's Chromium → pages of the service with the committed models, which may load nothing from elsewhere.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { projectFolder } from './project.js';
import { testConfig } from './service.js';

// The headless shell is the same engine without windows, in half the time.
const places = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const executablePath = process.env.CHROMIUM ?? places.find((place) => existsSync(place)) ?? '';

/** Why browser tests are skipped; false if they run. */
export const skip = existsSync(executablePath)
  ? false
  : `There is no Chromium at ${executablePath || places.join(' or ')}: apt-get install chromium-headless-shell, or set CHROMIUM`;

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Tap {
  teardown(done: () => Promise<unknown>): void;
}

export interface Site {
  app: FastifyInstance;
  url: string;
  /** Uncaught errors, refusals of the content security policy, and requests to other origins. */
  complaints: string[];
  /** A page of its own visitor; English, light and 1200 x 900 unless `options` say otherwise. */
  open(address?: string, options?: BrowserContextOptions): Promise<Page>;
}

/** The service on a free port and a browser, both closed with the test file. */
export async function openSite(t: Tap): Promise<Site> {
  const config = testConfig({ models: path.join(projectFolder, 'models') });
  const app = await createApp(config, await createPipeline({ ...config, workers: 1 }));
  t.teardown(() => app.close());
  const browser = await chromium.launch({ executablePath, args: quiet });
  t.teardown(() => browser.close());
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const complaints: string[] = [];
  return {
    app,
    url,
    complaints,
    open: async (address = '/', options = {}) => {
      const page = await createPage(browser, options);
      watch(page, url, complaints);
      await page.goto(new URL(address, url).href);
      return page;
    },
  };
}

async function createPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const viewport = { width: 1200, height: 900 };
  const context = await browser.newContext({ locale: 'en-US', colorScheme: 'light', viewport, ...options });
  context.setDefaultTimeout(60_000);
  // A visitor who chose the digits before: they are drawn.
  await context.addInitScript("localStorage['quati.model'] ??= 'mnist'");
  return await context.newPage();
}

function watch(page: Page, url: string, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const address = request.url();
    if (/^https?:/.test(address) && !address.startsWith(`${url}/`)) complaints.push(address);
  });
}
