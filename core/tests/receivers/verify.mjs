// Receives events as a customer's JavaScript program does, and says of each whether it is accepted.
//
// Reads one case a line from standard input: {"secret", "headers", "body" in base64}. Writes `accept` or `reject` for each. The
// package `standardwebhooks` is found through NODE_PATH.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Webhook } = createRequire(import.meta.url)("standardwebhooks");

function accepts({ secret, headers, body }) {
    const webhook = new Webhook(secret);
    try {
        webhook.verify(Buffer.from(body, "base64"), headers, { jsonParse: false });
        return true;
    } catch {
        return false;
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    console.log(accepts(JSON.parse(line)) ? "accept" : "reject");
}
