"""How every ONNX model is opened: one thread, no spinning."""

from pathlib import Path

import onnxruntime

from speech.errors import ModelStoreError


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Load a model for the CPU.

    Args:
        path: An .onnx or .ort file.

    Raises:
        ModelStoreError: The file is missing or is not a model.
    """
    options = onnxruntime.SessionOptions()
    # On 2 shared cores a second thread made every model here slower, and a spinning one starves
    # the encoders and the event loop.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what fails is raised; a cancelled run would log an error
    if not path.is_file():
        raise ModelStoreError(f"No model at {path}. Run `presencia models fetch`.")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises a dozen unrelated classes here, all for a bad file.
        raise ModelStoreError(f"Can't load {path}. Run `presencia models verify`.") from error
