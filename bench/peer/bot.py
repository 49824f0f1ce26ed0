"""The peer: a Pipecat bot with our models. Runs in the peer's environment.

    python -m bench.peer.bot CONFIGURATION

The configuration is a JSON object: "moonshine" and "silero" and "hibari" (paths), "speed" (of the
voice), "base_url" and "model" (of the language model), "max_tokens", "temperature", "instructions"
and "examples" (how the prompt begins: the system message, and the messages after it).
"""

import json
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import BackgroundTasks, FastAPI
from loguru import logger
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import InterruptionWorkerFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.request_handler import (
    SmallWebRTCRequest,
    SmallWebRTCRequestHandler,
)
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from bench.peer.settings import (
    BOT_READY,
    LISTENING_RATE_HZ,
    OUTPUT_CHUNKS,
    SPEAKING_RATE_HZ,
    VAD_START_S,
    VAD_STOP_S,
)
from bench.peer.stages import HibariTTS, MoonshineSTT
from speech.asr.moonshine import Moonshine
from speech.tts.hibari import HibariVoice
from speech.vad import SileroModel


class Bot:
    """Answers calls. The models are loaded once; what Pipecat makes for each call, it makes."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self._configuration = configuration
        vad = SileroModel(Path(configuration["silero"]))
        self._recognizer = Moonshine(Path(configuration["moonshine"]), vad.detector)
        self._voice = HibariVoice(Path(configuration["hibari"]), configuration["speed"])

    async def talk(self, connection: SmallWebRTCConnection) -> None:
        """One call, until the client goes."""
        transport = SmallWebRTCTransport(
            webrtc_connection=connection,
            params=TransportParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                audio_out_10ms_chunks=OUTPUT_CHUNKS,
            ),
        )
        user, assistant = LLMContextAggregatorPair(
            LLMContext(list(self._configuration["examples"])),
            user_params=LLMUserAggregatorParams(
                vad_analyzer=SileroVADAnalyzer(
                    params=VADParams(start_secs=VAD_START_S, stop_secs=VAD_STOP_S)
                ),
                user_turn_strategies=UserTurnStrategies(
                    stop=[
                        TurnAnalyzerUserTurnStopStrategy(turn_analyzer=LocalSmartTurnAnalyzerV3())
                    ]
                ),
            ),
        )
        stages = [
            transport.input(),
            MoonshineSTT(self._recognizer),
            user,
            self._language_model(),
            HibariTTS(self._voice),
            transport.output(),
            assistant,
        ]
        worker = PipelineWorker(
            Pipeline(stages),
            params=PipelineParams(
                audio_in_sample_rate=LISTENING_RATE_HZ, audio_out_sample_rate=SPEAKING_RATE_HZ
            ),
        )
        runner = WorkerRunner(handle_sigint=False)

        @transport.event_handler("on_client_disconnected")
        async def hang_up(transport: SmallWebRTCTransport, client: object) -> None:
            await runner.cancel()

        @worker.rtvi.event_handler("on_client_message")
        async def cancel(rtvi: object, message: object) -> None:
            await worker.queue_frame(InterruptionWorkerFrame())

        await runner.add_workers(worker)
        await runner.run()

    def _language_model(self) -> OpenAILLMService:
        settings = OpenAILLMService.Settings(
            model=self._configuration["model"],
            temperature=self._configuration["temperature"],
            max_tokens=self._configuration["max_tokens"],
            system_instruction=self._configuration["instructions"],
        )
        base_url = self._configuration["base_url"]
        return OpenAILLMService(api_key="none", base_url=base_url, settings=settings)


def _application(bot: Bot) -> FastAPI:
    app = FastAPI()
    handler = SmallWebRTCRequestHandler()

    @app.post("/api/offer")
    async def offer(request: SmallWebRTCRequest, tasks: BackgroundTasks) -> dict[str, str] | None:
        async def connected(connection: SmallWebRTCConnection) -> None:
            tasks.add_task(bot.talk, connection)

        return await handler.handle_web_request(request, connected)

    return app


def main() -> None:
    """Load the models and answer calls on a free port of this machine until SIGINT."""
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    app = _application(Bot(json.loads(sys.argv[1])))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"{BOT_READY}http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        with suppress(KeyboardInterrupt):  # how uvicorn ends at SIGINT
            server.run([listener])


if __name__ == "__main__":
    main()
