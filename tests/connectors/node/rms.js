// An approval socket on the reference implementation of Socket.IO, with permessage-deflate.
// Says {"port"} when it listens, {"refused"} with the message of each connection without both headers, and for each
// `join` {"customer", "extensions"}. Each line on stdin, {"customer", "event", "body"}, is sent to whoever joined;
// {"disconnect": true} sends everybody the disconnect packet, {"close": code} closes below Socket.IO.
"use strict";

const http = require("http");
const readline = require("readline");
const { Server } = require("socket.io");

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const server = http.createServer();
const io = new Server(server, {
  path: "/rms-socket/socket.io",
  transports: ["websocket"],
  perMessageDeflate: { threshold: 0 },
  pingInterval: 300,
  pingTimeout: 5000,
});

let refusing = process.argv[2] ? Number(process.argv[2]) : 0;

io.use((socket, next) => {
  const { authorization, customerid } = socket.handshake.headers;
  if (!/^Bearer ./.test(authorization || "") || !/^[0-9]+$/.test(customerid || "")) {
    return next(new Error("headers"));
  }
  if (refusing) {
    const error = new Error("not yet");
    error.data = { statusCode: refusing };
    refusing = 0;
    say({ refused: error.message });
    return next(error);
  }
  next();
});

io.on("connection", (socket) => {
  const customer = socket.handshake.headers.customerid;
  const extensions = socket.conn.transport.socket.extensions;
  socket.on("join", (acknowledge) => {
    socket.join(customer);
    acknowledge({ status: "ok" });
    say({ customer, extensions });
  });
});

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { customer, event, body, disconnect, close } = JSON.parse(line);
  if (disconnect) io.disconnectSockets(false);
  else if (close) io.sockets.sockets.forEach((socket) => socket.conn.transport.socket.close(close, "bye"));
  else io.to(customer).emit(event, body);
});

process.stdin.on("end", () => process.exit(0));
server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
