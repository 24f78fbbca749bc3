// What a user of OpenMeter's JavaScript SDK does, with the address and the token of Squill.
import { OpenMeter } from '@openmeter/sdk'

const openmeter = new OpenMeter({ baseUrl: process.env.SQUILL_URL, apiKey: process.env.SQUILL_TOKEN })
const event = (id, tokens, model, hour) => ({
  id, type: 'prompt', subject: 'cust-1', time: new Date(`2026-03-10T${hour}:30:00Z`), data: { tokens, model },
})
const told = {}

const created = await openmeter.meters.create({
  slug: 'tokens_total', aggregation: 'SUM', eventType: 'prompt', valueProperty: '$.tokens', groupBy: { model: '$.model' },
})
told.created = [created.slug, created.name, created.createdAt instanceof Date]
await openmeter.events.ingest(event('j1', 100, 'a', '08'))
await openmeter.events.ingest([event('j2', 10, 'a', '09'), event('j3', '0.5', 'b', '09')])
await openmeter.events.ingest(event('j1', 100, 'a', '08')) // a retry

told.listed = (await openmeter.events.list({ subject: 'cust-1', limit: 5 })).map((item) => [item.event.id, item.customerId])
told.meters = (await openmeter.meters.list()).map((meter) => meter.slug)
told.got = (await openmeter.meters.get('tokens_total')).eventType
const answer = await openmeter.meters.query('tokens_total', {
  from: new Date('2026-03-10T00:00:00Z'), to: new Date('2026-03-11T00:00:00Z'), windowSize: 'HOUR',
  windowTimeZone: 'Europe/Paris', subject: ['cust-1'], groupBy: ['model'], filterGroupBy: { model: 'a' },
})
told.byHour = answer.data.map((row) => [row.windowStart.toISOString(), row.groupBy, row.value])
told.renamed = (await openmeter.meters.update('tokens_total', { name: 'All tokens' })).name
await openmeter.meters.create({ slug: 'calls', aggregation: 'COUNT', eventType: 'call' })
await openmeter.meters.delete('calls')
told.refused = await openmeter.meters.query('tokens_total', { groupBy: ['region'] }).catch((error) => [error.name, error.message])
console.log(JSON.stringify(told))
