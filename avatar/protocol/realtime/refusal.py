"""Why a client's event is not obeyed."""


class Refusal(Exception):
    """An event can't be obeyed; nothing of it was done.

    Attributes:
        code: For programs.
        message: For a person.
        param: The field that is to blame.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
