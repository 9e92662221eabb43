// A registry for one test file, and our Python serdes beside it.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const python = `${root}.venv/bin/python`
const frames = `${root}tests/clients/frames.py`

/** Start a registry in memory on a free port; answers its URL and how to stop it. */
export async function startRegistry() {
  const command = ['-m', 'registry', 'serve', '--port', '0', '--store', 'memory:']
  const env = { ...process.env, SIGNET_SHUTDOWN_DRAIN_SECONDS: '0' }
  const registry = spawn(python, command, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(registry, 'exit')
  const started = once(createInterface({ input: registry.stdout }), 'line')
  const [line] = await Promise.race([started, ended])
  const [, url] = / serves (\S+) from /.exec(line) ?? []
  if (!url) throw new Error(`the registry did not start: ${line}`)
  return { url, stop: () => (registry.kill(), ended) }
}

/** The record that our Python serializer makes of a value, with the schema's id or GUID in its `prefix` or `header`. */
export function writtenByPython(url, topic, schema, value, place = 'prefix') {
  const { payload, headers } = run('write', url, topic, schema, place)(value)
  return { payload: Buffer.from(payload, 'hex'), headers: mapped(headers, (hex) => Buffer.from(hex, 'hex')) }
}

/** The value that our Python deserializer finds in a record. */
export function readByPython(url, topic, payload, headers = {}) {
  return run('read', url, topic)({ payload: payload.toString('hex'), headers: mapped(headers, (it) => it.toString('hex')) })
}

const mapped = (object, change) => Object.fromEntries(Object.entries(object).map(([name, it]) => [name, change(it)]))

const run = (...command) => (input) =>
  JSON.parse(execFileSync(python, [frames, ...command], { cwd: root, input: JSON.stringify(input) }))
