"""``python -I -S probe.py PORT /livez``: exit 0 when it answers 200; the token comes from TRICAST_OBSERVE__TOKEN_FILE.

For probes that run in the container: Kubernetes' own HTTP probes cannot take a token from a secret. A bare socket,
because it runs every few seconds and an HTTP library costs more than the answer.
"""

import os
import socket
import sys

PATIENCE_S = 4.0
_ANSWER_BYTES = 64 * 1024


def answers(port: int, path: str, token: str) -> bytes:
    """Return the whole answer of this host's ``port``.

    Raises:
        OSError: Nobody answers there in time.
    """
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode())
        answer = b""
        while len(answer) < _ANSWER_BYTES and (piece := connection.recv(_ANSWER_BYTES)):
            answer += piece
    return answer


def main(port: str, path: str) -> int:
    """Return 0 for a 200; else 1, with the answer's last line on standard error."""
    token_file = os.environ.get("TRICAST_OBSERVE__TOKEN_FILE", "")
    token = ""
    if token_file:
        with open(token_file, encoding="utf-8") as file:
            token = file.read().strip()
    try:
        answer = answers(int(port), path, token)
    except OSError as error:
        print(f"{path} of port {port}: {error}", file=sys.stderr)  # noqa: T201 - for the events of the pod
        return 1
    status = answer.split(b" ", 2)[1:2]
    if status == [b"200"]:
        return 0
    print(answer.decode("utf-8", "replace").rpartition("\n")[2][:1000], file=sys.stderr)  # noqa: T201 - for the events of the pod
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
