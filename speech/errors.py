"""What can go wrong in Presencia.

    PresenciaError                the message is one line for a person and says what to do
    ├── ConfigError               settings, persona or command line are wrong
    ├── ModelStoreError           a model file is missing, corrupt or can't be fetched
    ├── StageError                one turn failed; the call and the next turn go on
    │   ├── RecognizerError
    │   ├── LanguageModelError    .retryable says whether the same request may work later
    │   ├── SynthesizerError
    │   ├── ToolError             a tool is malformed, unknown, was called wrongly or failed
    │   └── RenderError
    └── CallError                 one call can't start or go on; the server does
        ├── ServerFullError
        └── SignallingError       the client's offer or event is malformed

They live in `speech` because `speech` is the package that imports none of the others.
"""


class PresenciaError(Exception):
    """Base of every error that Presencia raises on purpose."""


class ConfigError(PresenciaError):
    """Settings, persona or command line are wrong."""


class ModelStoreError(PresenciaError):
    """A model file is missing, corrupt or can't be fetched."""


class StageError(PresenciaError):
    """A stage of the turn failed.

    Attributes:
        retryable: True when the same request may work later (a timeout, a busy server).
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class RecognizerError(StageError):
    """Speech recognition failed."""


class LanguageModelError(StageError):
    """The language model failed."""


class SynthesizerError(StageError):
    """Speech synthesis failed."""


class ToolError(StageError):
    """A tool is malformed, unknown, was called wrongly or failed."""


class RenderError(StageError):
    """The face could not be drawn."""


class CallError(PresenciaError):
    """A call can't start or go on."""


class ServerFullError(CallError):
    """Every place is taken."""


class SignallingError(CallError):
    """The client's offer or event is malformed."""
