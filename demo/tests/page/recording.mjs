// Records the playground for the README: `npm run recording`, with ImageMagick on the path.
//
// Each frame shows the page after one step of a user.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Demo, launch, Playground, SCREENSHOTS } from './support.mjs';

const RECORDING = fileURLToPath(new URL('../../../docs/images/playground.gif', import.meta.url));
const FRAMES = `${SCREENSHOTS}/recording`;

rmSync(FRAMES, { recursive: true, force: true });
mkdirSync(FRAMES, { recursive: true });
const demo = await Demo.start();
const browser = await launch();
try {
  const playground = await Playground.open(browser, demo, { width: 1120, height: 640 });
  const { page } = playground;
  const frames = [];
  const frame = async () => {
    await page.evaluate(() => window.scrollTo(0, 0));
    const path = `${FRAMES}/${String(frames.length).padStart(2, '0')}.png`;
    await page.screenshot({ path });
    frames.push(path);
  };
  const send = () => playground.send();
  await frame();
  await send();
  await frame();
  for (const tampering of ['expired', 'wrong_audience', 'alg_none', 'flipped_signature_bit', 'unknown_key']) {
    await playground.select('#tampering', tampering);
    await send();
    await frame();
  }
  await playground.select('#tampering', '');
  await playground.choose('scheme', 'DPoP');
  await send();
  await frame();
  for (const thief of ['#replay', '#other-method', '#as-bearer']) {
    await playground.sending(() => playground.click(thief));
    await frame();
  }
  await playground.choose('scheme', 'Bearer');
  await playground.click('#toggle');
  await playground.until(() => document.querySelector('#running').textContent !== 'running');
  await send();
  await frame();
  const look = ['-resize', '900x', '+dither', '-colors', '64', '-layers', 'Optimize'];
  execFileSync('convert', ['-delay', '170', '-loop', '0', ...frames, ...look, RECORDING]);
} finally {
  await browser.close();
  await demo.stop();
}
