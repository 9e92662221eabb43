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
  const registry = spawn(python, command, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(registry, 'exit')
  const started = once(createInterface({ input: registry.stdout }), 'line')
  const [line] = await Promise.race([started, ended])
  const [, url] = / serves (\S+) from /.exec(line) ?? []
  if (!url) throw new Error(`the registry did not start: ${line}`)
  return { url, stop: () => (registry.kill(), ended) }
}

/** The framed bytes that our Python serializer makes of a value. */
export function writtenByPython(url, topic, schema, value) {
  const hex = execFileSync(python, [frames, 'write', url, topic, schema], { cwd: root, input: JSON.stringify(value) })
  return Buffer.from(hex.toString(), 'hex')
}

/** The value that our Python deserializer finds in framed bytes. */
export function readByPython(url, topic, bytes) {
  return JSON.parse(execFileSync(python, [frames, 'read', url, topic], { cwd: root, input: bytes.toString('hex') }))
}
