"""A file that is arriving: resumed where it stopped, whatever the source, and checked."""

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from avatar.store.manifest import ModelFile
from avatar.store.packages import Packages, SourceError
from avatar.store.sources import AnySource, Report, place, read

_CHUNK_BYTES = 1 << 20
_log = logging.getLogger(__name__)


class Arrival:
    """Collects one model file from the first source that has it.

    The half-arrived file is named after its sha256: what one source began, another may finish,
    and a new version of a model never continues an old one.

    Args:
        file: The file wanted.
        folder: Where half-arrived files are.
    """

    def __init__(self, file: ModelFile, folder: Path) -> None:
        self._file = file
        self._partial = folder / file.sha256

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self._partial.stat().st_size if self._partial.exists() else 0

    def collect(self, sources: Sequence[AnySource], packages: Packages, report: Report) -> Path:
        """Try the sources in order until the file is whole and right; return where it is.

        Raises:
            SourceError: None of them has it; the message lists why.
            OSError: The folder can't be written to, or its disk is full.
        """
        reasons = []
        for source in sources:
            _log.info("fetching", extra={"file": self._file.name, "source": place(source)})
            resumed = self.size > 0
            try:
                # A wrong file that was resumed may have had a wrong beginning: once more from 0.
                if self._fill(source, packages, report) or (
                    resumed and self._fill(source, packages, report)
                ):
                    return self._partial
                reasons.append(f"{place(source)} gives a wrong checksum")
            except SourceError as error:
                reasons.append(str(error))
        raise SourceError("; ".join(dict.fromkeys(reasons)))

    def _fill(self, source: AnySource, packages: Packages, report: Report) -> bool:
        """Append the source's bytes to what is here; discard all of it if it is wrong."""
        digest = hashlib.sha256()
        with self._partial.open("a+b") as out:
            out.seek(0)
            while chunk := out.read(_CHUNK_BYTES):
                digest.update(chunk)
            size = out.tell()
            if size < self._file.bytes:
                for chunk in read(source, self._file, size, packages, report):
                    out.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    report(min(size, self._file.bytes))
                    if size > self._file.bytes:
                        break
                out.flush()
                os.fsync(out.fileno())
        if size < self._file.bytes:
            raise SourceError(f"{place(source)} ended early")
        if digest.hexdigest() == self._file.sha256:
            return True
        self._partial.unlink()
        return False
