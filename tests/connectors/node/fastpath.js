// A FastPath-like server on `ws`, with permessage-deflate as its argument (JSON) says.
// Says {"port"} when it listens; then, for each client's first message, {"path", "accept", "auth", "binary", "extensions"}.
// Each line on stdin: {"send": base64, "binary"} goes to every client; {"close": code} closes, {"drop": true} cuts.
"use strict";

const readline = require("readline");
const { WebSocketServer } = require("ws");

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const perMessageDeflate = { threshold: 0, ...JSON.parse(process.argv[2] || "{}") };
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate }, () =>
  say({ port: server.address().port }),
);

const EXTENSIONS = "Sec-WebSocket-Extensions: ";

server.on("headers", (headers, request) => {
  const negotiated = headers.find((header) => header.startsWith(EXTENSIONS));
  request.negotiated = negotiated ? negotiated.slice(EXTENSIONS.length) : "";
});

server.on("connection", (socket, request) => {
  socket.once("message", (text, binary) =>
    say({
      path: request.url,
      accept: request.headers.accept,
      auth: text.toString(),
      binary,
      extensions: request.negotiated,
    }),
  );
});

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { send, binary, close, drop } = JSON.parse(line);
  for (const socket of server.clients) {
    if (drop) socket.terminate();
    else if (close) socket.close(close);
    else socket.send(Buffer.from(send, "base64"), { binary });
  }
});

process.stdin.on("end", () => process.exit(0));
