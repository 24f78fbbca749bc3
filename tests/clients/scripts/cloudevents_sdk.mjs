// What a user of CloudEvents' JavaScript SDK does: both modes of HTTP, whose bodies arrive in chunks.
import { CloudEvent, emitterFor, httpTransport, Mode } from 'cloudevents'

const event = (id) => new CloudEvent({
  id, source: 'app', type: 'prompt', subject: 'cust-1', time: '2026-03-10T08:30:00Z', data: { tokens: 3 },
})
const options = { headers: { Authorization: `Bearer ${process.env.SQUILL_TOKEN}` } }
const transport = httpTransport(`${process.env.SQUILL_URL}/api/v1/events`)
const told = []
for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  const answer = await emitterFor(transport, { mode })(event(mode), options)
  told.push([mode, answer.body])
}
console.log(JSON.stringify(told))
