import asyncio

import pytest

from avatar.smaller import EitherModel


class Model:
    def __init__(self, name):
        self.name, self.read, self.closed = name, [], False

    async def reply(self, messages, tools, tool_choice):
        yield self.name

    async def prefill(self, messages, tools):
        self.read.append(messages)
        return True

    async def close(self):
        self.closed = True


class Failing(Model):
    async def close(self):
        raise RuntimeError("It is gone.")


def test_the_one_that_will_answer_reads_ahead():
    async def turns():
        usual, smaller, late = Model("usual"), Model("smaller"), []
        model = EitherModel(usual, smaller, lambda: late[-1])
        said = []
        for is_late in (False, True, False):
            late.append(is_late)
            await model.prefill(["words"])
            said += [delta async for delta in model.reply(["words"])]
        assert said == ["usual", "smaller", "usual"]
        assert (len(usual.read), len(smaller.read)) == (2, 1)

    asyncio.run(turns())


def test_an_answer_under_way_is_finished_by_the_one_that_began_it():
    async def turn():
        is_late = False
        model = EitherModel(Model("usual"), Model("smaller"), lambda: is_late)
        reply = model.reply([])
        is_late = True
        assert [delta async for delta in reply] == ["usual"]

    asyncio.run(turn())


def test_both_are_given_back_even_if_one_fails():
    async def close():
        smaller = Model("smaller")
        with pytest.raises(RuntimeError):
            await EitherModel(Failing("usual"), smaller, lambda: False).close()
        assert smaller.closed

    asyncio.run(close())
