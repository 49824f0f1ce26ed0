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
        │   └── QueueFullError    nor can anybody wait for a place
        ├── CallLimitError        .wait_s: one caller has, or begins, too many calls
        ├── TicketError           it was used, or not asked about in time
        ├── ResumeExpiredError    no call is left that could be gone on with
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


class QueueFullError(ServerFullError):
    """Every place is taken, and the line for one is as long as it may get."""


class CallLimitError(CallError):
    """One caller has, or begins, more calls than it may.

    Attributes:
        wait_s: How long to wait before the next attempt.
    """

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class TicketError(CallError):
    """There is no such ticket in the line: it was used, given back, or not asked about in time."""


class ResumeExpiredError(CallError):
    """No call can be gone on with by this token: it expired, was used, or never was one."""


class SignallingError(CallError):
    """The client's offer or event is malformed."""
