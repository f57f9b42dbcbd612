// The other half of oracle.py: the npm package rate-limiter-flexible under a faked clock, asked in JSON lines.
//
// A question is {limits: {name: {points, duration, block}}, steps: [[t, what, ...]]} with durations and times in whole
// milliseconds; the answer is {answers: [...]}, one for each step, or {error: text}. Each question starts afresh.
"use strict";

const readline = require("node:readline");
const FakeTimers = require("@sinonjs/fake-timers");
const { RateLimiterMemory } = require("rate-limiter-flexible");

const BEGIN = 1_700_000_000_000; // any date; 0 would mean "never expires" to the package
const clock = FakeTimers.install({ now: BEGIN, toFake: ["Date", "setTimeout", "clearTimeout"] });

const USERNAME = "logins_per_username";
const IP = "failed_logins_per_ip";
const PAIR = "failed_logins_per_username_ip";

function makeLimiters(limits) {
  const made = {};
  for (const [name, { points, duration, block }] of Object.entries(limits)) {
    made[name] = new RateLimiterMemory({ keyPrefix: name, points, duration: duration / 1000, blockDuration: block / 1000 });
  }
  return made;
}

// Whether one request passes, and the end of the block if it began one.
async function consume(limiter, key) {
  try {
    await limiter.consume(key);
    return [true, null];
  } catch (rejected) {
    if (rejected instanceof Error) throw rejected;
    const begins = limiter.blockDuration > 0 && rejected.consumedPoints === limiter.points + 1;
    return [false, begins ? Date.now() - BEGIN + rejected.msBeforeNext : null];
  }
}

// When a key that has gone over its limit is let in again, else null.
async function shutUntil(limiter, key) {
  const found = limiter ? await limiter.get(key) : null;
  return found !== null && found.consumedPoints > limiter.points ? Date.now() - BEGIN + found.msBeforeNext : null;
}

// What the package's worked example "login endpoint protection" does at each attempt, as far as it speaks of limits; with
// the limit of logins a username, where there is one, in front. Returns [outcome, [[limit, end of the block begun], ...]].
async function login(limiters, username, ip, right) {
  const pair = JSON.stringify([username, ip]);
  if (limiters[USERNAME] && !(await consume(limiters[USERNAME], username))[0]) return [USERNAME, []];
  if ((await shutUntil(limiters[IP], ip)) !== null) return [IP, []];
  if ((await shutUntil(limiters[PAIR], pair)) !== null) return [PAIR, []];
  if (right) {
    if (limiters[PAIR]) await limiters[PAIR].delete(pair);
    return ["accepted", []];
  }
  return wrongPassword(limiters, pair, ip);
}

async function wrongPassword(limiters, pair, ip) {
  let outcome = "failed";
  const blocks = [];
  for (const [name, key] of [[PAIR, pair], [IP, ip]]) { // the IP's answers if both go over
    if (!limiters[name]) continue;
    const [passed, until] = await consume(limiters[name], key);
    if (!passed) outcome = name;
    if (until !== null) blocks.push([name, until]);
  }
  return [outcome, blocks];
}

const STEPS = {
  consume: (limiters, name, key) => consume(limiters[name], key),
  blocked: (limiters, name, key) => shutUntil(limiters[name], key),
  reset: async (limiters, name, key) => { await limiters[name].delete(key); return null; },
  login,
};

async function answer({ limits, steps }) {
  clock.reset();
  clock.setSystemTime(BEGIN);
  const limiters = makeLimiters(limits);
  const answers = [];
  for (const [t, what, ...rest] of steps) {
    clock.tick(BEGIN + t - Date.now());
    answers.push(await STEPS[what](limiters, ...rest));
  }
  return { answers };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line)).catch((error) => ({ error: String(error.stack) }));
    process.stdout.write(JSON.stringify(reply) + "\n");
  }
}

main();
