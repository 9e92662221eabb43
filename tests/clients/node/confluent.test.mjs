// @confluentinc/schemaregistry against a running registry.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import confluent from '@confluentinc/schemaregistry'

import { readByPython, startRegistry, writtenByPython } from './registry.mjs'
import { customer, order, orderOfCustomer, orderWithPrice, orderWithState, plain, written } from './schemas.mjs'

const { AvroDeserializer, AvroSerializer, HeaderSchemaIdSerializer, SchemaRegistryClient, SerdeType } = confluent

let running
before(async () => {
  running = await startRegistry()
})
after(() => running?.stop())

const connect = (path = '') => new SchemaRegistryClient({ baseURLs: [running.url + path], maxRetries: 0 })
const avro = (schema, more = {}) => ({ schemaType: 'AVRO', schema, ...more })
const refused = (status, code) => (error) => error.status === status && error.errorCode === code
const latest = { useLatestVersion: true, autoRegisterSchemas: false }

test('a registered schema is found by id, GUID, version and text', async () => {
  const registered = await connect().registerFullResponse('found-value', avro(order))
  assert.equal(registered.version, 1)
  const client = connect()
  assert.equal((await client.getBySubjectAndId('found-value', registered.id)).schema, order)
  assert.equal((await client.getByGuid(registered.guid)).schema, order)
  assert.equal((await client.getSchemaMetadata('found-value', 1)).guid, registered.guid)
  assert.equal((await client.getLatestSchemaMetadata('found-value')).id, registered.id)
  assert.equal(await client.getId('found-value', avro(order)), registered.id)
  assert.equal(await client.getVersion('found-value', avro(order), false), 1)
  assert.deepEqual(await client.getAllVersions('found-value'), [1])
  assert.ok((await client.getAllSubjects()).includes('found-value'))
})

test('a schema evolves by compatible steps only', async () => {
  const client = connect()
  await client.register('evolving-value', avro(order))
  assert.equal(await client.testSubjectCompatibility('evolving-value', avro(orderWithState)), true)
  assert.equal(await client.testCompatibility('evolving-value', 1, avro(orderWithPrice)), false)
  await client.register('evolving-value', avro(orderWithState))
  await assert.rejects(client.register('evolving-value', avro(orderWithPrice)), refused(409, 40901))
  assert.deepEqual(await client.getAllVersions('evolving-value'), [1, 2])
})

test('refusals carry status and code', async () => {
  const client = connect()
  await assert.rejects(client.getBySubjectAndId('nowhere', 2 ** 31 - 1), refused(404, 40403))
  await assert.rejects(client.getLatestSchemaMetadata('nowhere'), refused(404, 40401))
  await assert.rejects(client.getConfig('nowhere'), refused(404, 40408))
  await assert.rejects(client.register('nowhere', avro('{"type":"nothing"}')), refused(422, 42201))
  await assert.rejects(client.updateCompatibility('nowhere', 'SOMEWHAT'), refused(422, 42203))
})

test('levels and configs are set, for a subject and for all', async () => {
  const client = connect()
  assert.equal(await client.updateCompatibility('config-value', 'FULL_TRANSITIVE'), 'FULL_TRANSITIVE')
  assert.equal(await client.getCompatibility('config-value'), 'FULL_TRANSITIVE')
  assert.equal(await client.getDefaultCompatibility(), 'BACKWARD')
  await client.updateDefaultCompatibility('BACKWARD_TRANSITIVE')
  assert.equal((await client.getDefaultConfig()).compatibilityLevel, 'BACKWARD_TRANSITIVE')
  await client.updateConfig('config-value', { compatibility: 'NONE', normalize: true, compatibilityGroup: 'major' })
  const config = await client.getConfig('config-value')
  assert.deepEqual(config, { normalize: true, compatibilityLevel: 'NONE', compatibilityGroup: 'major' })
})

test('versions and subjects are deleted softly and then for good', async () => {
  const client = connect()
  await client.register('deleted-value', avro(order))
  await client.register('deleted-value', avro(orderWithState))
  assert.equal(await client.deleteSubjectVersion('deleted-value', 1), 1)
  assert.equal(await client.deleteSubjectVersion('deleted-value', 1, true), 1)
  assert.deepEqual(await client.deleteSubject('deleted-value'), [2])
  assert.deepEqual(await client.deleteSubject('deleted-value', true), [2])
  await assert.rejects(connect().getAllVersions('deleted-value'), refused(404, 40401))
})

test('metadata is kept and found, rules are kept', async () => {
  const client = connect()
  const metadata = { tags: { 'shop.Order.id': ['KEY'] }, properties: { owner: 'sales' }, sensitive: ['owner'] }
  const rule = { name: 'positive', kind: 'CONDITION', mode: 'WRITE', type: 'CEL', expr: 'message.id > 0', disabled: false }
  await client.register('contract-value', avro(order, { metadata, ruleSet: { domainRules: [rule] } }))
  const found = await connect().getLatestWithMetadata('contract-value', { owner: 'sales' })
  assert.deepEqual(found.metadata, metadata)
  assert.deepEqual(found.ruleSet.domainRules, [rule])
})

test('a URL with a context makes a registry of its own', async () => {
  const client = connect('/contexts/.other')
  assert.equal(await client.register('inside-value', avro(order)), 1)
  assert.deepEqual(await client.getAllSubjects(), [':.other:inside-value'])
})

test('references are followed', async () => {
  const client = connect()
  await client.register('customer', avro(customer))
  const references = [{ name: 'shop.Customer', subject: 'customer', version: 1 }]
  await client.register('refers-value', avro(orderOfCustomer, { references }))
  const value = { id: 1, customer: { name: 'Ada' } }
  const frame = await new AvroSerializer(client, SerdeType.VALUE, latest).serialize('refers', value)
  assert.deepEqual(readByPython(running.url, 'refers', frame), value)
  const read = await new AvroDeserializer(connect(), SerdeType.VALUE, {}).deserialize('refers', frame)
  assert.deepEqual(plain(read), value)
})

for (const [topic, schema, value] of [...written, ['text', '{"type":"string"}', 'Grüße']]) {
  test(`each reads what the other wrote, and the bytes are the same: ${topic}`, async () => {
    const { payload: byUs } = writtenByPython(running.url, topic, schema, value)
    const byThem = await new AvroSerializer(connect(), SerdeType.VALUE, latest).serialize(topic, value)
    assert.deepEqual(byThem, byUs)
    const read = await new AvroDeserializer(connect(), SerdeType.VALUE, {}).deserialize(topic, byUs)
    assert.deepEqual(plain(read), value)
    assert.deepEqual(readByPython(running.url, topic, byThem), value)
  })
}

test('a schema that the serializer derives from a value is registered and read by us', async () => {
  const frame = await new AvroSerializer(connect(), SerdeType.VALUE, { autoRegisterSchemas: true }).serialize('derived', {
    name: 'Ada',
    lines: [1, 2],
  })
  assert.deepEqual(readByPython(running.url, 'derived', frame), { name: 'Ada', lines: [1, 2] })
  assert.deepEqual(await connect().getAllVersions('derived-value'), [1])
})

test('each finds the GUID that the other put into the headers', async () => {
  const byUs = writtenByPython(running.url, 'headers', order, { id: 1 }, 'header')
  const conf = { ...latest, schemaIdSerializer: HeaderSchemaIdSerializer }
  const headers = {}
  const payload = await new AvroSerializer(connect(), SerdeType.VALUE, conf).serialize('headers', { id: 1 }, headers)
  assert.deepEqual({ payload, headers }, byUs)
  const read = await new AvroDeserializer(connect(), SerdeType.VALUE, {}).deserialize('headers', byUs.payload, byUs.headers)
  assert.deepEqual(plain(read), { id: 1 })
  assert.deepEqual(readByPython(running.url, 'headers', payload, headers), { id: 1 })
})

test('a topic without associations has an empty list, and none can be made here', async () => {
  const client = connect()
  assert.deepEqual(await client.getAssociationsByResourceName('orders', '-', 'topic', ['value'], null, 0, -1), [])
  await assert.rejects(client.createAssociation({ resourceName: 'orders' }), refused(405, 405))
})
