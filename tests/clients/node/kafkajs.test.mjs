// @kafkajs/confluent-schema-registry against a running registry.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'

import { readByPython, startRegistry, writtenByPython } from './registry.mjs'
import { customer, order, orderOfCustomer, orderWithPrice, orderWithState, plain, written } from './schemas.mjs'

let running
before(async () => {
  running = await startRegistry()
})
after(() => running?.stop())

const connect = () => new SchemaRegistry({ host: running.url, retry: { retries: 0 } })
const avro = (schema, references) => ({ type: SchemaType.AVRO, schema, references })
const refused = (status) => (error) => error.status === status

test('a registered schema is found by id, version and text', async () => {
  const { id } = await connect().register(avro(order), { subject: 'found-value' })
  const client = connect()
  assert.equal(await client.getRegistryId('found-value', 1), id)
  assert.equal(await client.getLatestSchemaId('found-value'), id)
  assert.equal(await client.getRegistryIdBySchema('found-value', avro(order)), id)
  assert.equal((await client.getSchema(id)).name, 'shop.Order')
  assert.equal((await client.register(avro(order), { subject: 'found-value' })).id, id)
})

test('the subject is the name of the record when none is given', async () => {
  const { id } = await connect().register(avro(customer))
  assert.equal(await connect().getLatestSchemaId('shop.Customer'), id)
})

test('registering sets the level of the subject, and another level is noticed', async () => {
  await connect().register(avro(order), { subject: 'level-value', compatibility: COMPATIBILITY.FULL })
  const config = await (await fetch(`${running.url}/config/level-value`)).json()
  assert.equal(config.compatibilityLevel, 'FULL')
  const again = connect().register(avro(order), { subject: 'level-value', compatibility: COMPATIBILITY.NONE })
  await assert.rejects(again, { name: 'ConfluentSchemaRegistryCompatibilityError' })
})

test('a schema evolves by compatible steps only', async () => {
  const client = connect()
  const first = await client.register(avro(order), { subject: 'evolving-value' })
  const second = await client.register(avro(orderWithState), { subject: 'evolving-value' })
  assert.notEqual(first.id, second.id)
  const incompatible = client.register(avro(orderWithPrice), { subject: 'evolving-value' })
  await assert.rejects(incompatible, (error) => refused(409)(error) && /READER_FIELD_MISSING/.test(error.message))
  assert.equal(await client.getRegistryId('evolving-value', 2), second.id)
})

test('what is not there is refused with 404', async () => {
  const client = connect()
  await assert.rejects(client.getSchema(2 ** 31 - 1), refused(404))
  await assert.rejects(client.getLatestSchemaId('nowhere'), refused(404))
  await assert.rejects(client.getRegistryIdBySchema('nowhere', avro(order)), /Subject 'nowhere' not found/)
})

test('a deleted subject is gone for this client too', async () => {
  await connect().register(avro(order), { subject: 'deleted-value' })
  const deleted = await fetch(`${running.url}/subjects/deleted-value`, { method: 'DELETE' })
  assert.deepEqual(await deleted.json(), [1])
  await assert.rejects(connect().getLatestSchemaId('deleted-value'), refused(404))
})

test('references are followed', async () => {
  const client = connect()
  await client.register(avro(customer), { subject: 'customer' })
  const reference = { name: 'shop.Customer', subject: 'customer', version: 1 }
  const { id } = await client.register(avro(orderOfCustomer, [reference]), { subject: 'refers-value' })
  const value = { id: 1, customer: { name: 'Ada' } }
  const frame = await client.encode(id, value)
  assert.deepEqual(plain(await connect().decode(frame)), value)
  assert.deepEqual(readByPython(running.url, 'refers', frame), value)
})

for (const [topic, schema, value] of written) {
  test(`each reads what the other wrote, and the bytes are the same: ${topic}`, async () => {
    const client = connect()
    const { id } = await client.register(avro(schema), { subject: `${topic}-value` })
    const byThem = await client.encode(id, value)
    const { payload: byUs } = writtenByPython(running.url, topic, schema, value)
    assert.deepEqual(byThem, byUs)
    assert.deepEqual(plain(await connect().decode(byUs)), value)
    assert.deepEqual(readByPython(running.url, topic, byThem), value)
  })
}

test('an older record of ours is read with a newer schema', async () => {
  const { payload: byUs } = writtenByPython(running.url, 'older', order, { id: 1 })
  const value = await connect().decode(byUs, { [SchemaType.AVRO]: { readerSchema: JSON.parse(orderWithState) } })
  assert.deepEqual(plain(value), { id: 1, state: 'placed' })
})
