// A person's program with Nodemailer, under the options of the model: the oracle that the model is held against.
//
// RELAY_HOST, RELAY_PORT, RELAY_USERNAME, RELAY_PASSWORD, RELAY_TLS (none, starttls or implicit) and RELAY_CA come from the
// environment; the one argument is {"messages": N, "mode": "...", "options": {...}}. It prints one JSON line.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const installed = createRequire(new URL('../../agreement/package.json', import.meta.url));
const { messages, options = {} } = JSON.parse(process.argv[2]);
const { version = 10, concurrent = 0, pause = 0, ...smtp } = options;
const name = version === 6 ? 'nodemailer6' : 'nodemailer';
const nodemailer = installed(name);

const { RELAY_HOST, RELAY_PORT, RELAY_USERNAME, RELAY_PASSWORD, RELAY_TLS = 'none', RELAY_CA } = process.env;
const transporter = nodemailer.createTransport({
    host: RELAY_HOST,
    port: Number(RELAY_PORT),
    secure: RELAY_TLS === 'implicit',
    auth: { user: RELAY_USERNAME, pass: RELAY_PASSWORD },
    tls: RELAY_CA ? { ca: readFileSync(RELAY_CA) } : {},
    ...smtp,
});

const failed = [];
const errors = {};

async function send(id) {
    try {
        await transporter.sendMail({
            from: 'sender@example.com',
            to: `m${id}@example.com`,
            subject: 'a message of the simulation',
            text: 'It is as short as it can be.',
            headers: { 'X-Relaysim-Id': String(id) },
        });
    } catch (error) {
        failed.push(id);
        errors[error.message] = (errors[error.message] || 0) + 1;
    }
}

// A duration of a scenario file: a number of seconds, or a string such as "500ms" or "0.5s".
function milliseconds(duration) {
    const [, number, unit] = /^([\d.]+)(ms|s|m)?$/.exec(String(duration));
    return Number(number) * { ms: 1, s: 1000, m: 60000 }[unit || 's'];
}

let next = 1;
async function awaitEach() {
    while (next <= messages) {
        await send(next++);
        if (milliseconds(pause)) {
            await new Promise(resolve => setTimeout(resolve, milliseconds(pause)));
        }
    }
}

if (smtp.pool && !concurrent) {
    await Promise.all(Array.from({ length: messages }, (_, index) => send(index + 1)));
} else {
    await Promise.all(Array.from({ length: Math.min(messages, concurrent || 1) }, awaitEach));
}
transporter.close();
console.log(JSON.stringify({ version: installed(`${name}/package.json`).version, failed: failed.sort((a, b) => a - b), errors }));
// Version 6 never closes a connection that rateLimit holds back; only the end of the process does.
setTimeout(() => process.exit(0), 500).unref();
