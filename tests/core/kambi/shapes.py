"""Real-looking messages of every type, over sports and spellings, with places for numbers.

``<id:name>`` stands for an id (a number, or digits in a string), ``<int:name>`` for another whole number,
``<odds:name>`` for odds. Every number that stands in a message must come out in its records, digit by digit; what this
version leaves in the raw record has fixed numbers here.
"""

import re
from collections.abc import Callable

SHAPES = {
    "ea football": """{"mt":4,"ea":{"event":{"id":<id:event>,"name":"Alpha FC - Beta FC","nameDelimiter":"-",
        "englishName":"Alpha FC - Beta FC","homeName":"Alpha FC","awayName":"Beta FC","start":"2026-09-21T18:00:00Z",
        "originalStartTime":"18:00","group":"Demo League","groupId":<id:group>,"path":[{"id":<id:sport>,
        "name":"Football","englishName":"Football","termKey":"football"},{"id":<id:league>,"name":"Demo League"}],
        "nonLiveBoCount":<int:pre>,"liveBoCount":<int:live>,"sport":"FOOTBALL","tags":["OFFERED_LIVE","MATCH"],
        "state":"NOT_STARTED","groupSortOrder":<id:sort>}}}""",
    "ea competition": """{"mt":4,"ea":{"event":{"id":<id:event>,"name":"Winner 2026/27","homeName":"Winner 2026/27",
        "group":"Demo League","groupId":<id:group>,"path":[{"id":<id:sport>},{"id":<id:league>}],
        "sport":"FOOTBALL","tags":["COMPETITION"],"state":"NOT_STARTED","groupSortOrder":<id:sort>}}}""",
    "ea race": """{"mt":4,"ea":{"event":{"id":<id:event>,"name":"14:30 Demo Park","sport":"GALLOPS","distance":"1600",
        "meetingId":"4711","raceClass":"4","trackType":"TURF","going":"GOOD","eventNumber":3,"participants":[
        {"participantId":1,"name":"Runner","startNumber":7,"scratched":false,"extended":{"driverName":"A. Rider",
        "formFigures":"1-23","age":"4","daysSinceLastRun":"21"}}],"state":"NOT_STARTED","tags":["SHOW_START_NUMBER"]}}}""",
    "leo event only": '{"mt":5,"leo":{"event":{"id":<id:event>,"sport":"TENNIS","state":"STARTED"}}}',
    "leo football": """{"mt":5,"leo":{"event":{"id":<id:event>,"name":"Alpha FC - Beta FC","sport":"FOOTBALL",
        "state":"STARTED","tags":["OPEN_FOR_LIVE","MATCH"]},"mainBetOffer":{"id":<id:offer>,"eventId":<id:event>,
        "criterion":{"id":<id:criterion>,"label":"Full Time","order":[],"occurrenceType":"GOALS"},
        "betOfferType":{"id":<id:type>,"name":"Match"},"outcomes":[{"id":<id:one>,"odds":<odds:one>,"type":"OT_ONE"},
        {"id":<id:cross>,"odds":<odds:cross>,"type":"OT_CROSS"},{"id":<id:two>,"odds":<odds:two>,"type":"OT_TWO"}],
        "tags":["MAIN","OFFERED_LIVE"]},"liveData":{"eventId":<id:event>,"matchClock":{"minute":<int:minute>,
        "second":<int:second>,"period":"1st half","running":true},"score":{"home":"0","away":"0","who":"UNKNOWN",
        "version":<id:score>},"statistics":{"football":{"home":{"yellowCards":<int:yh>,"redCards":<int:rh>,
        "corners":<int:ch>},"away":{"yellowCards":<int:ya>,"redCards":<int:ra>,"corners":<int:ca>}}},
        "liveStatistics":[{"occurrenceTypeId":"CORNERS_HOME","count":0}],"occurrences":[],"tickers":[]}}}""",
    "leo basketball": """{"mt":5,"leo":{"event":{"id":<id:event>,"sport":"BASKETBALL"},"liveData":{
        "matchClock":{"minutesLeftInPeriod":<int:left>,"secondsLeftInMinute":<int:seconds>,"running":false},
        "score":{"home":"","away":"","who":"UNKNOWN"}}}}""",
    "boa over/under": """{"mt":6,"boa":{"eventId":<id:event>,"betOffer":{"id":<id:offer>,"eventId":<id:event>,
        "criterion":{"id":<id:criterion>,"label":"Total Goals","englishLabel":"Total Goals","order":[0]},
        "betOfferType":{"id":<id:type>,"name":"Over/Under"},"tags":["OFFERED_LIVE"],"cashOutStatus":"ENABLED",
        "sortOrder":1,"outcomes":[{"id":<id:over>,"betOfferId":<id:offer>,"label":"Over","type":"OT_OVER",
        "line":<int:line>,"odds":<odds:over>,"oddsFractional":"17/20","oddsAmerican":"-118","status":"OPEN",
        "changedDate":"2026-09-21T18:01:00Z","prevOdds":[1900,1950]},{"id":<id:under>,"type":"OT_UNDER",
        "line":<int:line>,"odds":<odds:under>,"status":"OPEN"}]}}}""",
    "boa handicap": """{"mt":6,"boa":{"betOffer":{"id":<id:offer>,"eventId":<id:event>,"betOfferType":{"id":<id:type>},
        "outcomes":[{"id":<id:home>,"line":<int:minus>,"odds":<odds:home>,"participant":"Alpha","participantId":<id:p>},
        {"id":<id:away>,"line":<int:plus>,"odds":<odds:away>}]}}}""",
    "boa bare type": """{"mt":6,"boa":{"eventId":<id:event>,"betOffer":{"id":<id:offer>,"betOfferType":<id:type>,
        "suspended":true,"outcomes":[]}}}""",
    "boa race": """{"mt":6,"boa":{"betOffer":{"id":<id:offer>,"eventId":<id:event>,"betOfferType":{"id":<id:type>},
        "tags":["STARTING_PRICE","EACH_WAY_REQUIRED"],"eachWay":{"terms":"1/5","fractionMilli":200,"placeLimit":3},
        "outcomes":[{"id":<id:runner>,"odds":-1,"startNr":7,"scratched":false,"participantId":<id:p>}]}}}""",
    "boa scorecast": """{"mt":6,"boa":{"betOffer":{"id":<id:offer>,"eventId":<id:event>,"betOfferType":{"id":<id:type>},
        "outcomes":[],"scorerType":{"type":1,"name":"First"},"combinableOutcomes":{"playerOutcomes":[{"id":<id:player>,
        "status":"OPEN","participantId":<id:p>}],"resultOutcomes":[{"id":<id:result>,"status":"OPEN"}],
        "outcomeCombinations":[{"odds":34000,"playerOutcome":{"id":1},"resultOutcome":{"id":2}}]}}}}""",
    "bor": '{"mt":7,"bor":{"eventId":<id:event>,"betOfferId":<id:offer>}}',
    "bosu suspended": '{"mt":8,"bosu":{"betOfferId":<id:offer>,"eventId":<id:event>,"suspended":true,"visible":true}}',
    "bosu defaults": '{"mt":8,"bosu":{"betOfferId":<id:offer>,"eventId":<id:event>}}',
    "bosu cash-out": '{"mt":8,"bosu":{"betOfferId":<id:offer>,"eventId":<id:event>,"cashOutStatus":"SUSPENDED"}}',
    "abos": '{"mt":9,"abos":{"eventId":<id:event>}}',
    "boou two outcomes": """{"mt":11,"boou":{"eventId":<id:event>,"outcomes":[{"id":<id:one>,"betOfferId":<id:offer>,
        "odds":<odds:one>,"oddsFractional":"9/10","oddsAmerican":"-110"},{"id":<id:two>,"betOfferId":<id:offer>,
        "odds":<odds:two>,"oddsFractional":"10/11","oddsAmerican":"-108"}]}}""",
    "boou one outcome, offer on top": """{"mt":11,"boou":{"eventId":<id:event>,"betOfferId":<id:offer>,"outcomes":[
        {"id":<id:one>,"odds":<odds:one>,"type":"OT_ONE"}]}}""",
    "boou three offers": """{"mt":11,"boou":{"eventId":<id:event>,"outcomes":[
        {"id":<id:one>,"betOfferId":<id:first>,"odds":<odds:one>},{"id":<id:two>,"betOfferId":<id:second>},
        {"id":<id:three>,"betOfferId":<id:third>,"odds":<odds:three>}]}}""",
    "mcr": '{"mt":12,"mcr":{"eventId":<id:event>}}',
    "mcu football": """{"mt":15,"mcu":{"eventId":<id:event>,"matchClock":{"minute":<int:minute>,"second":<int:second>,
        "period":"2nd half","running":true,"disabled":false,"periodId":"SECOND_HALF","version":<id:version>}}}""",
    "mcu running down": """{"mt":15,"mcu":{"eventId":<id:event>,"matchClock":{"minute":<int:minute>,
        "second":<int:second>,"minutesLeftInPeriod":<int:left>,"secondsLeftInMinute":<int:seconds>,
        "period":"1st quarter","running":false}}}""",
    "mcu disabled": '{"mt":15,"mcu":{"eventId":<id:event>,"matchClock":{"disabled":true,"version":<id:version>}}}',
    "score football": """{"mt":16,"score":{"eventId":<id:event>,"score":{"home":"2","away":"1","info":"HT: 1-1",
        "who":"HOME","version":<id:version>}}}""",
    "score tennis": '{"mt":16,"score":{"eventId":<id:event>,"score":{"home":"40","away":"A","who":"UNKNOWN"}}}',
    "stats football": """{"mt":17,"stats":{"eventId":<id:event>,"statistics":{"football":{"home":{
        "yellowCards":<int:yh>,"redCards":<int:rh>,"corners":<int:ch>},"away":{"yellowCards":<int:ya>,
        "redCards":<int:ra>,"corners":<int:ca>}},"version":<id:version>}}}""",
    "stats sets": """{"mt":17,"stats":{"eventId":<id:event>,"statistics":{"sets":{"home":[<int:h1>,<int:h2>,-1],
        "away":[<int:a1>,<int:a2>,-1],"homeServe":true}}}}""",
    "er": '{"mt":18,"er":{"eventId":<id:event>}}',
    "tu": """{"mt":19,"tu":{"id":<id:ticker>,"eventId":<id:event>,"type":"INFO","minute":<int:minute>,
        "message":"Corner for the away side"}}""",
    "tu nested": """{"mt":19,"tu":{"ticker":{"id":<id:ticker>,"eventId":<id:event>,"type":"GOAL",
        "minute":<int:minute>,"message":"Goal!"}}}""",
    "desc": '{"mt":20,"desc":{"eventId":<id:event>,"description":"Rain delay"}}',
    "booa": """{"mt":22,"booa":{"eventId":<id:event>,"outcomes":[{"id":<id:outcome>,"betOfferId":<id:offer>,
        "label":"2-2","englishLabel":"2-2","type":"OT_UNTYPED","odds":<odds:outcome>,"oddsFractional":"14/1",
        "oddsAmerican":"1400","status":"OPEN","cashOutStatus":"ENABLED","homeScore":"2","awayScore":"2",
        "changedDate":"2026-09-21T18:00:00Z","participantId":<id:p>,"line":<int:line>}]}}""",
    "boor": '{"mt":23,"boor":{"eventId":<id:event>,"outcomes":[{"id":<id:outcome>,"betOfferId":<id:offer>}]}}',
    "boor, offer on top": """{"mt":23,"boor":{"eventId":<id:event>,"betOfferId":<id:offer>,
        "outcomes":[{"id":<id:one>}]}}""",
    "os": """{"mt":24,"os":{"outcomes":[{"id":<id:one>,"betOfferId":<id:offer>,"eventId":<id:event>,
        "status":"SETTLED"},{"id":<id:two>,"betOfferId":<id:offer>,"eventId":<id:event>}]}}""",
    "os bare ids": '{"mt":24,"os":{"outcomes":[<id:one>,<id:two>,<id:three>]}}',
    "os outcomeIds": '{"mt":24,"os":{"eventId":<id:event>,"betOfferId":<id:offer>,"outcomeIds":[<id:one>,<id:two>]}}',
    "os list": '{"mt":24,"os":[<id:one>,{"id":<id:two>,"betOfferId":<id:offer>}]}',
    "mo corner": """{"mt":25,"mo":{"id":<id:occurrence>,"eventId":<id:event>,"occurrenceTypeId":"CORNERS_AWAY",
        "secondInPeriod":<int:period>,"secondInMatch":<int:match>,"periodId":"SECOND_HALF","action":"ADDED",
        "periodIndex":<int:index>}}""",
    "mo substitution": """{"mt":25,"mo":{"id":<id:occurrence>,"eventId":<id:event>,"occurrenceTypeId":"SUBSTITUTION",
        "secondInPeriod":<int:period>,"secondInMatch":<int:match>,"secondInPeriodAddedTime":<int:added>,
        "player":{"id":<id:in>,"name":"In"},"playerOut":{"id":<id:out>,"name":"Out"},"additionalProperties":["INJURY"],
        "action":"MODIFIED","index":<int:index>}}""",
    "mo deleted": '{"mt":25,"mo":{"id":<id:occurrence>,"eventId":<id:event>,"action":"DELETED"}}',
    "vo": """{"mt":27,"vo":{"id":<id:visualization>,"eventId":<id:event>,"occurrenceTypeId":"DANGEROUS_ATTACK_HOME",
        "periodId":"SECOND_HALF","visualization":{"position":{"x":<place:x>,"y":<place:y>,"zone":"ATTACK"}}}}""",
    "ls value": '{"mt":28,"ls":{"eventId":<id:event>,"occurrenceTypeId":"SHOTS_ON_TARGET_HOME","value":<int:value>}}',
    "ls count": '{"mt":28,"ls":{"eventId":<id:event>,"occurrenceTypeId":"ACES_WON_AWAY","count":<int:value>}}',
    "osu": """{"mt":32,"osu":{"eventId":<id:event>,"outcomes":[{"id":<id:one>,"betOfferId":<id:offer>,
        "status":"SUSPENDED"},{"id":<id:two>,"betOfferId":<id:offer>,"status":"OPEN","cashOutStatus":"ENABLED"}]}}""",
    "esu": '{"mt":34,"esu":{"id":<id:event>,"state":"STARTED"}}',
    "esu eventId": '{"mt":34,"esu":{"eventId":<id:event>,"state":"FINISHED"}}',
}

SPELLINGS: dict[str, Callable[[str], str]] = {
    "ids as numbers": lambda text: text.replace("<id:", "<int:"),
    "ids as digits": lambda text: text,
    "read one by one": lambda text: text.replace("<id:", "<int:").replace('"mt"', r'"x":"a\u003ab","mt"'),
}
"""The second has ids in strings; the third has an escape that rules out reading a whole bulk at once."""
_MARK = re.compile(r"<(id|int|odds|place):(\w+)>")


def marks(shape: str) -> set[tuple[str, str]]:
    """Return kind and name of every number in ``shape``."""
    return set(_MARK.findall(shape))


def fill(text: str, numbers: dict[tuple[str, str], int]) -> str:
    """Return the message with ``numbers`` in it; ``numbers`` is keyed as ``marks`` says, before spelling."""

    def write(mark: re.Match[str]) -> str:
        kind, name = mark.groups()
        number = next(numbers[key, name] for key in (kind, "id") if (key, name) in numbers)
        return f'"{number}"' if kind == "id" else str(number)

    return _MARK.sub(write, text)
