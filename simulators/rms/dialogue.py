"""What follows from what a client says."""

from simulators.rms import packets
from simulators.rms.circumstances import Circumstances
from simulators.rms.client import Client, Packet
from simulators.rms.ledger import Line
from simulators.rms.tokens import Access


class Dialogue:
    """One for all clients: it counts their joins, so it is repeatable.

    Args:
        around: Acknowledgements, faults.
    """

    def __init__(self, around: Circumstances) -> None:
        self._around = around
        self._joins = 0

    def heed(self, client: Client, packet: packets.Packet | None, access: Access) -> bool:
        """Do what a client says, ``None`` for what is no text; return whether to listen on."""
        match packet:
            case packets.Pong():
                client.pong()
            case packets.Acknowledgement() if client.connected:
                pass
            case packets.Connect(namespace="/"):
                client.connected = True
                client.send(Packet(text=packets.connected(client.name)))
            case packets.Connect(namespace=namespace):
                client.send(Packet(text=f'4{namespace},{{"message":"Invalid namespace"}}'))
            case packets.Event() if client.connected:
                if packet.name == "join":
                    self._join(client, packet, access)
            case packets.Disconnect() if client.connected:
                client.connected, client.rooms = False, frozenset()
            case packets.Close():
                return False
            case _:  # what cannot be read, binary, or came before CONNECT (sheet §12)
                client.close(1000, "parse error")
                return False
        return True

    def _join(self, client: Client, packet: packets.Event, access: Access) -> None:
        self._joins += 1
        faults = self._around.faults.current
        unheard = self._strikes(faults.unheard_join_every)
        hollow = self._strikes(faults.hollow_join_every)
        acknowledged = packet.ack is not None and self._around.settings.join_ack and not unheard
        if not (unheard or hollow):
            credential = access.credential
            client.rooms = frozenset((credential.customer_id, platform) for platform in credential.platform_ids)
        self._around.ledger.append(
            Line(
                kind="join",
                at_ns=self._around.clock(),
                connection=client.name,
                reason="acknowledged" if acknowledged else "not acknowledged",
                fault="unheard" if unheard else "hollow" if hollow else None,
            )
        )
        if acknowledged and packet.ack is not None:
            client.send(Packet(text=packets.acknowledged(packet.ack, {"status": "ok"})))
        if self._strikes(faults.close_joined_every):
            client.close(faults.close_code, "closed by fault switch")

    def _strikes(self, every: int) -> bool:
        return every > 0 and self._joins % every == 0
