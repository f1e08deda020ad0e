// What Upstash's own client asks of the server, and expects of it. Arguments: URL, token, read-only token, prefix of the keys.
import assert from "node:assert/strict";
import { Redis } from "@upstash/redis";

const [url, token, readOnly, prefix] = process.argv.slice(2);
const options = { url, token, retry: false, enableTelemetry: false };
const redis = new Redis(options);
const key = (name) => `${prefix}:${name}`;

// Values, with the encoding that the client asks for by default, and without it.
for (const responseEncoding of ["base64", false]) {
  const redis = new Redis({ ...options, responseEncoding });
  assert.equal(await redis.set(key("a"), "ä ✓ \u0000 OK"), "OK");
  assert.equal(await redis.get(key("a")), "ä ✓ \u0000 OK");
  assert.equal(await redis.set(key("ok"), "OK"), "OK");
  assert.equal(await redis.get(key("ok")), "OK");
  assert.equal(await redis.get(key("none")), null);
  assert.deepEqual(await redis.mget(key("a"), key("none"), key("ok")), ["ä ✓ \u0000 OK", null, "OK"]);
  assert.equal(await redis.set(key("ttl"), 137, { px: 60000 }), "OK");
  assert.equal(await redis.get(key("ttl")), 137);
  assert.ok((await redis.pttl(key("ttl"))) > 0);
}

// Bytes that are no text come back whole in base64 only: the client decodes it as text, so they are looked at as they travel.
const bytes = new Redis({ ...options, automaticDeserialization: false });
await bytes.eval(`redis.call('SET', KEYS[1], string.char(0, 127, 128, 255))`, [key("bytes")], []);
const raw = async (headers) => {
  const response = await fetch(url, {
    method: "POST", body: JSON.stringify(["GET", key("bytes")]), headers: { Authorization: `Bearer ${token}`, ...headers },
  });
  return (await response.json()).result;
};
assert.equal(await raw({ "Upstash-Encoding": "base64" }), Buffer.from([0, 127, 128, 255]).toString("base64"));
assert.equal(await raw({}), "\u0000\u007f\ufffd\ufffd");

// A pipeline: answers in order, errors among them.
const p = redis.pipeline();
p.set(key("n"), "x").incr(key("n")).get(key("n"));
await assert.rejects(p.exec(), /not an integer/);
const kept = redis.pipeline();
kept.set(key("n"), "x").incr(key("n")).get(key("n"));
const answers = await kept.exec({ keepErrors: true });
assert.equal(answers[0].result, "OK");
assert.match(answers[1].error, /not an integer/);
assert.equal(answers[2].result, "x");

// A transaction.
const tx = redis.multi();
tx.set(key("m"), 1).incr(key("m")).get(key("m"));
assert.deepEqual(await tx.exec(), ["OK", 2, 2]);
const failing = redis.multi();
failing.set(key("m"), 1).evalsha("0".repeat(40), [], []);
await assert.rejects(failing.exec(), /NOSCRIPT/);

// Scripts.
const text = `return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1]), false, 7, '${prefix}'}`;
const script = redis.createScript(text);
await assert.rejects(redis.evalsha("0".repeat(40), [], []), /NOSCRIPT/);
await assert.rejects(script.evalsha([key("a")], ["v"]), /NOSCRIPT/);
const want = [key("a"), "v", "ä ✓ \u0000 OK", null, 7, prefix];
assert.deepEqual(await script.exec([key("a")], ["v"]), want); // falls back to EVAL
assert.deepEqual(await script.evalsha([key("a")], ["v"]), want);
assert.equal(await redis.scriptLoad(text), script.sha1);

// Errors.
await assert.rejects(redis.eval("return redis.call('NOSUCH')", [], []), /Unknown/);
await assert.rejects(new Redis({ ...options, token: "wrong" }).get(key("a")), /WRONGPASS/);
const reader = new Redis({ ...options, token: readOnly });
assert.equal(await reader.get(key("ok")), "OK");
await assert.rejects(reader.set(key("ok"), "no"), /NOPERM/);
