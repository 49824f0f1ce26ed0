"""What both of the peer's processes are set to, and why. Imported in either environment."""

from typing import Final

LANGUAGE_MODEL_READY = "The language model is ready at "
BOT_READY = "The peer is ready at "
"""What the processes write before their URL when they are ready."""

LANGUAGE: Final = "en"
LISTENING_RATE_HZ = 16_000
SPEAKING_RATE_HZ = 24_000

VAD_START_S = 0.2
VAD_STOP_S = 0.2
OUTPUT_CHUNKS = 2

PEER_THREADS: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""In its environment: a second thread of numpy's would spin on the core that the models want."""

PEER_SETTINGS = {
    "transport": "SmallWebRTC, audio only, no video, no filter, no mixer, uvloop",
    "vad": f"Silero, start_secs {VAD_START_S}, stop_secs {VAD_STOP_S} (recommended: smart turn and "
    "the services' own latency figures assume it)",
    "turn_start": "VAD and transcription strategies (default, interrupts at once)",
    "turn_end": "smart-turn v3.2 CPU through TurnAnalyzerUserTurnStopStrategy, or 3 s of silence "
    "(default)",
    "recognizer": "segmented, final transcripts marked finalized (no wait for the p99 timer), "
    "interim transcripts verified as drafts while the person speaks, no silence appended "
    "(default 0.5 s: the recogniser appends its own 0.2 s)",
    "language_model": "OpenAILLMService over loopback, prompt cache warm, no retry timer",
    "speech": "sentence aggregation (default; the voice can't take single tokens)",
    "threads": "one for each model, and one for numpy's products, as ours (default: as many as "
    "there are cores, which spin)",
    "output": f"audio_out_10ms_chunks {OUTPUT_CHUNKS} (default 4; less to play out at an "
    "interruption)",
    "metrics": "off, logging at warnings only",
}
"""By part of the pipeline; for the report."""
