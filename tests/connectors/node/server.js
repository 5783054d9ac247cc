// A Kambi-like push server on the reference implementation of Socket.IO, with permessage-deflate.
// Says {"port"} when it listens; then, for each subscription, {"subscribe", "extensions"}.
// Each line on stdin, {"topic", "text"}, is sent as a `message` to whoever subscribed to the topic; {"drop": true}
// closes every connection below Socket.IO.
"use strict";

const http = require("http");
const readline = require("readline");
const { Server } = require("socket.io");

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const server = http.createServer();
const io = new Server(server, {
  transports: ["websocket"],
  perMessageDeflate: { threshold: 0 },
});

io.on("connection", (socket) => {
  const extensions = socket.conn.transport.socket.extensions;
  socket.on("subscribe", ({ topic }) => {
    socket.join(topic);
    say({ subscribe: topic, extensions });
  });
  socket.on("unsubscribe", ({ topic }) => socket.leave(topic));
});

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { topic, text, drop } = JSON.parse(line);
  if (drop) io.sockets.sockets.forEach((socket) => socket.conn.transport.socket.terminate());
  else io.to(topic).emit("message", text);
});

process.stdin.on("end", () => process.exit(0));
server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
