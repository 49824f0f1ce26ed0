"""How every ONNX model is opened: one thread, no spinning."""

from pathlib import Path

import onnxruntime

from speech.errors import ModelStoreError


def open_session(path: Path, inner_output: str = "") -> onnxruntime.InferenceSession:
    """Load a model for the CPU.

    Args:
        path: An .onnx or .ort file.
        inner_output: Name of a tensor inside an .onnx graph, to be given out after the others.

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
        model = path.read_bytes() + _graph_output(inner_output) if inner_output else str(path)
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises a dozen unrelated classes here, all for a bad file.
        raise ModelStoreError(f"Can't load {path}. Run `presencia models verify`.") from error


def _graph_output(tensor: str) -> bytes:
    """Bytes that, put after a serialised model, add an output to its graph.

    Protocol buffers merge a message field that comes twice (protobuf.dev, "Encoding", "Last One
    Wins"). ModelProto.graph is field 7, GraphProto.output 12, ValueInfoProto.name 1.
    """
    message = tensor.encode()
    for field in (1, 12, 7):
        message = bytes([field << 3 | 2]) + _varint(len(message)) + message
    return message


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
