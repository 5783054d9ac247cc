"""Control of the simulated vendor for checkers."""

import pytest
from websockets.exceptions import ConnectionClosed

from tests.simulators.rms_client import staged, until


async def test_bets_are_placed_from_outside_one_or_many(tmp_path):
    other = {"client_id": "other", "customer_id": "7", "platform_ids": [5, 6]}
    async with staged(tmp_path, credentials=[{}, other]) as stage:
        one = await stage.place(slip={"betSlipId": "a", "betSlipContext": "live"})
        assert (one["customer"], one["platform"], one["disposition"]) == ("90210", 4021, "referred")
        assert (one["request"]["betSlipId"], one["request"]["betSlipContext"]) == ("a", "live")
        assert one["answer"].keys() == {"bet_code", "shortCode", "result"}
        wanted = [
            {"customer": "7"},
            {"customer": "7", "platform": 6, "disposition": "accepted"},
            {"slip": {"betSlipId": None}, "disposition": "rejected"},
        ]
        status, body = await stage.ask("/simulator/bets", json=wanted)
        assert status == 200
        placed = body["bets"]
        assert [bet["number"] for bet in placed] == [2, 3, 4]
        assert [(bet["customer"], bet["platform"]) for bet in placed] == [("7", 5), ("7", 6), ("90210", 4021)]
        assert [bet["disposition"] for bet in placed][1:] == ["accepted", "rejected"]
        assert "betSlipId" not in placed[2]["request"]
        assert [bet["answer"]["result"] for bet in placed][1:] == [True, False]
        assert (await stage.ask("/simulator/bets"))[1]["bets"] == [one, *placed]
        assert (await stage.ask("/simulator/bets?after=3"))[1]["bets"] == placed[2:]
    assert [line.disposition for line in stage.ledger("bet")] == [bet["disposition"] for bet in (one, *placed)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("bets", {"slipp": {}}),
        ("bets", {"customer": "abc"}),
        ("bets", {"moves": [{"outcome": "maybe"}]}),
        ("bets", {"moves": [{"outcome": "accept", "stake": "-1"}]}),
        ("decisions", {"bet": "x"}),
        ("faults", {"drop_every": 1}),
        ("faults", {"refusals": []}),
        ("storm", {"kinds": ["rain"]}),
        ("close", {"how": 17}),
        ("close", {"how": "gently"}),
    ],
)
async def test_wishes_that_cannot_be_read_are_refused(tmp_path, path, body):
    async with staged(tmp_path) as stage:
        status, answer = await stage.ask(f"/simulator/{path}", json=body)
        assert (status, answer["status"]) == (400, 400)


async def test_a_decision_about_an_unknown_bet(tmp_path):
    async with staged(tmp_path) as stage:
        status, _ = await stage.ask("/simulator/decisions", json={"bet": "x", "move": {"outcome": "accept"}})
        assert status == 404


async def test_faults_are_replaced_while_it_runs(tmp_path):
    async with staged(tmp_path, faults={"refuse_every": 1}) as stage:
        answer = await stage.control("faults", duplicate_every=1)
        assert (answer["duplicate_every"], answer["refuse_every"]) == (1, 0)
        async with stage.joined() as socket:
            await stage.decide(await stage.place())
            assert await socket.recv() == await socket.recv()


@pytest.mark.parametrize(("how", "code"), [(4403, 4403), (1000, 1000), (1001, 1001), ("cut", 1006)])
async def test_connections_are_ended_on_request(tmp_path, how, code):
    other = {"client_id": "other", "secret": "simulated", "customer_id": "7"}
    async with (
        staged(tmp_path, credentials=[{}, other]) as stage,
        stage.joined(await stage.headers("7", "other")) as theirs,
        stage.joined() as one,
        stage.joined() as two,
    ):
        names = [line.connection for line in stage.ledger("connect")]
        assert await stage.control("close", how=how, customer="90210") == {"ended": names[1:]}
        for socket in (one, two):
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == code
        await until(lambda: len(stage.ledger("disconnect")) == 2)
        assert await stage.control("close", how="half-open", connection=names[0]) == {"ended": names[:1]}
        assert (await stage.state())["connections"][0]["half_open"] is True
        assert await stage.control("close", how=how) == {"ended": []}
        await theirs.send("3")
    assert [line.fault for line in stage.ledger("fault")] == [str(how), str(how), "half-open"]


async def test_paused_no_bets_are_placed_and_those_there_are_decided(tmp_path):
    settings = {"platform": {"bets_per_second": 10}, "referred_share": 1, "rejected_share": 0}
    async with staged(tmp_path, **settings) as stage:
        stage.turn(1)
        await until(lambda: len(stage.ledger("bet")) == 10)
        answer = await stage.control("pause")
        assert answer == {"paused": True, "waiting": 10}
        stage.turn(60)
        await until(lambda: len(stage.ledger("decision")) == 10)
        state = await stage.state()
        assert (state["paused"], state["waiting"], state["bets"], state["decisions"]) == (True, 0, 10, 10)
        assert (await stage.control("resume"))["paused"] is False
        stage.turn(0.5)
        await until(lambda: len(stage.ledger("bet")) == 15)
    assert len(stage.ledger("bet")) == 15
