// Judges AsyncAPI documents: node judge.js FILE… Prints what the parser says of each, and what it read in it.
import { Parser, fromFile } from "@asyncapi/parser";

async function judged(file) {
  const { document, diagnostics } = await fromFile(new Parser(), file).parse();
  const channels = document === undefined ? [] : document.channels().all();
  return {
    diagnostics: diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path: path.join("/") })),
    channels: channels.map((channel) => ({
      address: channel.address(),
      binding: channel.bindings().get("kafka").value(),
      messages: channel.messages().all().map((message) => ({
        name: message.name(),
        headers: Object.keys(message.headers()?.properties() ?? {}),
        payload: message.payload().title() ?? null,
        fields: Object.keys(message.payload().properties() ?? {}),
      })),
    })),
  };
}

const verdicts = [];
for (const file of process.argv.slice(2)) verdicts.push(await judged(file));
console.log(JSON.stringify(verdicts));
