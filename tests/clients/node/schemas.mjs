// An order, what may and may not become of it, and values for it.
const id = { name: 'id', type: 'long' }

const record = (name, ...fields) => JSON.stringify({ type: 'record', name, namespace: 'shop', fields })

export const order = record('Order', id)
export const orderWithState = record('Order', id, { name: 'state', type: 'string', default: 'placed' })
export const orderWithPrice = record('Order', id, { name: 'price', type: 'double' })
export const customer = record('Customer', { name: 'name', type: 'string' })
export const orderOfCustomer = record('Order', id, { name: 'customer', type: 'shop.Customer' })

const line = { type: 'record', name: 'Line', fields: [{ name: 'price', type: 'double' }, { name: 'gift', type: 'boolean' }] }
const wholeOrder = record(
  'Order',
  id,
  { name: 'state', type: { type: 'enum', name: 'State', symbols: ['PLACED', 'SENT'] } },
  { name: 'lines', type: { type: 'array', items: line } },
  { name: 'labels', type: { type: 'map', values: ['null', 'string'] } },
  { name: 'before', type: ['null', 'Order'], default: null },
)
const first = { id: -1, state: 'SENT', lines: [], labels: {}, before: null }
const second = { id: 2 ** 40, state: 'PLACED', lines: [{ price: 0.1, gift: true }], labels: { a: 'ä🦉', b: null }, before: first }

/** Topics with a schema and a value of it. */
export const written = [
  ['simple', orderWithState, { id: 7, state: 'Grüße' }],
  ['whole', wholeOrder, second],
]

/** What was read, without the classes that Avro libraries make for records. */
export const plain = (value) => JSON.parse(JSON.stringify(value))
