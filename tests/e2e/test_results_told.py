"""What tools said, told by the real embedded model: none of these is among what it is shown."""

import asyncio
import re
from contextlib import aclosing

import pytest

from avatar.dialogue.prompt import beginning
from speech.types import Message, ToolCall
from tests.e2e.test_tools import ELENA, TOOLS, loaded

pytestmark = pytest.mark.e2e

# What is asked, the result, and what each answer to it has (as a regular expression).
RESULTS = {
    "en": (
        ("Go forward ten meters.", '{"moved": 10}', "10|ten"),
        ("What is the weather in Madrid?", '{"sky": "clear", "temperature": 19}', "clear.*19"),
        ("Is my order on its way?", '{"status": "shipped", "arrives": "Tuesday"}', "Tuesday"),
        ("Where is the bathroom?", '{"floor": 2, "room": "214"}', "214"),
        ("When do you close today?", '{"opens": "10:00", "closes": "18:00"}', "18:00|6"),
        ("Book a tour for two.", '{"booked": true, "time": "15:30"}', "15:30"),
        ("Do you have blue shoes?", '{"in_stock": false}', "n't|not|no "),
        ("How many people are here?", '{"visitors": 37}', "37"),
        ("Lock the front door.", '{"locked": true}', "locked"),
        ("What is playing now?", '{"title": "Blue Moon", "artist": "Ella"}', "Blue Moon.*Ella"),
        ("Which rooms are free?", '["Room 1", "Room 3"]', "1.*3"),
        ("Set the heating to twenty degrees.", "ok", "heating|degrees"),
        ("Weather in Atlantis?", "Failed: There is no station in Atlantis.", "no.*Atlantis"),
    ),
    "es": (
        ("Avanza diez metros.", '{"moved": 10}', "10|diez"),
        ("¿Qué tiempo hace en Madrid?", '{"cielo": "despejado", "grados": 19}', "despejado.*19"),
        ("¿Está mi pedido en camino?", '{"estado": "enviado", "llega": "martes"}', "martes"),
        ("¿Dónde está el baño?", '{"planta": 2, "sala": "214"}', "214"),
        ("¿A qué hora cerráis hoy?", '{"abre": "10:00", "cierra": "18:00"}', "18:00|seis"),
        ("Reserva una visita para dos.", '{"reservado": true, "hora": "15:30"}', "15:30"),
        ("¿Tenéis zapatos azules?", '{"in_stock": false}', "[Nn]o "),
        ("¿Cuántas personas hay aquí?", '{"visitantes": 37}', "37"),
        ("Cierra la puerta con llave.", '{"locked": true}', "cerrad|llave"),
        ("¿Qué suena ahora?", '{"título": "Luna azul", "artista": "Ella"}', "Luna azul.*Ella"),
        ("¿Qué salas están libres?", '["Sala 1", "Sala 3"]', "1.*3"),
        ("Pon la calefacción a veinte grados.", "ok", "calefacción|grados"),
        ("¿Llueve en París?", "lluvia débil, 14 grados", "14"),
    ),
}


def test_most_results_are_told():
    async def scenario():
        rows = []
        async with loaded() as model, model.conversation() as call:
            for language, results in RESULTS.items():
                for said, result, wanted in results:
                    messages = (
                        *beginning(ELENA, language),
                        Message("user", said),
                        Message("assistant", "", (ToolCall("a", "tool", "{}"),)),
                        Message("tool", result, call_id="a"),
                    )
                    await call.prefill(messages[:-2], TOOLS)
                    async with aclosing(call.reply(messages, TOOLS)) as parts:
                        told = "".join([part async for part in parts])
                    rows.append((language, said, result, told, bool(re.search(wanted, told))))
        return rows

    rows = asyncio.run(scenario())
    for language, said, result, told, is_told in rows:
        print(f"{'  ' if is_told else 'x '}{language} {said} {result} -> {told}")
    for language, results in RESULTS.items():
        told = sum(row[-1] for row in rows if row[0] == language)
        print(f"{language}: {told} of {len(results)} told")
        assert told >= len(results) - 3
